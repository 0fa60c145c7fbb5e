import Glibc

/// An `inet` or `cidr`: an IP address of version 4 or 6, and how many of its bits name the network.
public struct PGInet: Hashable, Sendable {
    /// Four or sixteen, in network order.
    public let address: [UInt8]
    /// All bits for a single host.
    public let prefixLength: Int

    /// Nil unless the address has 4 or 16 bytes and the prefix is no longer than it.
    public init?(address: [UInt8], prefixLength: Int? = nil) {
        let bits = address.count * 8
        guard bits == 32 || bits == 128, (0...bits).contains(prefixLength ?? bits) else { return nil }
        self.address = address
        self.prefixLength = prefixLength ?? bits
    }
}

/// `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/32`; the prefix is left out where it is the whole address.
extension PGInet: LosslessStringConvertible {
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count) else { return nil }
        let text = String(parts[0])
        let family = text.contains(":") ? AF_INET6 : AF_INET
        var address = [UInt8](repeating: 0, count: family == AF_INET6 ? 16 : 4)
        guard !text.holdsNUL, inet_pton(family, text, &address) == 1 else { return nil }
        var prefix: Int?
        if parts.count == 2 {
            guard let number = Int(parts[1]), parts[1].first?.isNumber == true else { return nil }
            prefix = number
        }
        self.init(address: address, prefixLength: prefix)
    }

    public var description: String {
        let isVersion6 = self.address.count == 16
        let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
            guard
                let text = inet_ntop(
                    isVersion6 ? AF_INET6 : AF_INET, self.address, buffer.baseAddress, socklen_t(buffer.count))
            else { return "" }
            return String(cString: text)
        }
        return self.prefixLength == self.address.count * 8 ? text : text + "/" + String(self.prefixLength)
    }
}

extension PGInet: PGEncodable, PGDecodable {
    public static var pgType: PGType { .inet }

    // The binary form (network.c, network_send): family, prefix, whether cidr, number of bytes, bytes.
    private static let version4: UInt8 = 2
    private static let version6: UInt8 = 3

    public var pgValue: PGValue {
        let family = self.address.count == 16 ? Self.version6 : Self.version4
        return .binary([family, UInt8(self.prefixLength), 0, UInt8(self.address.count)] + self.address, type: .inet)
    }

    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) {
        guard let bytes = cell.bytes else { throw PGDecodingError("the value is NULL") }
        guard cell.type == .inet || cell.type == .cidr else { throw cell.mismatch(Self.self) }
        let value: PGInet? =
            if cell.format == .text {
                PGInet(String(decoding: bytes, as: UTF8.self))
            } else if bytes.count >= 4 {
                PGInet(address: Array(bytes.dropFirst(4)), prefixLength: Int(bytes[1]))
            } else {
                nil
            }
        guard let value else { throw cell.mismatch(Self.self) }
        self = value
    }
}

extension PGInet: PGArrayElement {
    public static var pgArrayType: PGType { .inetArray }
    public static func pgReadsArray(of type: PGType) -> Bool { type == .inet || type == .cidr }
}
