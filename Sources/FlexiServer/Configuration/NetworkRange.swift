#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// An IPv4 or IPv6 network, such as `10.0.0.0/8`, or a single address.
struct NetworkRange: Hashable, Sendable {
    private let bytes: [UInt8]
    private let prefixLength: Int

    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first, let bytes = Self.bytes(of: String(address)) else { return nil }
        let longest = bytes.count * 8
        let prefixLength = parts.count == 1 ? longest : Int(parts[1])
        guard let prefixLength, (0...longest).contains(prefixLength) else { return nil }
        self.bytes = bytes
        self.prefixLength = prefixLength
    }

    /// Reads a list separated by commas or white space; `nil` when one of them is none.
    static func list(_ text: String) -> [NetworkRange]? {
        let ranges = text.split { $0 == "," || $0.isWhitespace }.map { NetworkRange($0) }
        let valid = ranges.compactMap(\.self)
        return valid.count == ranges.count ? valid : nil
    }

    /// An IPv4 address written as IPv6 (`::ffff:192.0.2.1`) is in IPv4 networks.
    func contains(_ address: String) -> Bool {
        guard let other = Self.bytes(of: address), other.count == self.bytes.count else { return false }
        let whole = self.prefixLength / 8
        guard other.prefix(whole) == self.bytes.prefix(whole) else { return false }
        let rest = self.prefixLength % 8
        return rest == 0 || (other[whole] ^ self.bytes[whole]) >> (8 - rest) == 0
    }

    /// In the order of the network; 4 of an IPv4 address, also of one written as IPv6. `nil` for a text that is no address.
    static func bytes(of address: String) -> [UInt8]? {
        let v4 = [UInt8](unsafeUninitializedCapacity: 4) { buffer, count in
            count = inet_pton(AF_INET, address, buffer.baseAddress) == 1 ? 4 : 0
        }
        if !v4.isEmpty { return v4 }
        let v6 = [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            count = inet_pton(AF_INET6, address, buffer.baseAddress) == 1 ? 16 : 0
        }
        if v6.isEmpty { return nil }
        return v6.starts(with: [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]) ? Array(v6.suffix(4)) : v6
    }
}
