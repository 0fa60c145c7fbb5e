import NIOCore

/// Whom requests of one origin are counted for: an IPv4 address, or the 64 bits of an IPv6 address that one customer is given
/// (RFC 6177). An IPv4 address written as IPv6 is the IPv4 address.
enum ClientNetwork: Hashable, Sendable {
    /// A unix socket.
    case local
    case v4(UInt32)
    case v6(UInt64)

    init(_ address: SocketAddress?) {
        switch address {
        // Behind family and port; of IPv6 behind the flow label, too.
        case .v4(let address)?:
            self = withUnsafeBytes(of: address.address) { .v4($0.loadUnaligned(fromByteOffset: 4, as: UInt32.self)) }
        case .v6(let address)?:
            self = withUnsafeBytes(of: address.address) { Self.of(UnsafeRawBufferPointer(rebasing: $0[8..<24])) }
        case .unixDomainSocket?, nil: self = .local
        }
    }

    /// `nil` for a text that is no address.
    init?(_ text: String) {
        guard let bytes = NetworkRange.bytes(of: text) else { return nil }
        self = bytes.withUnsafeBytes { $0.count == 4 ? .v4($0.loadUnaligned(as: UInt32.self)) : Self.of($0) }
    }

    private static func of(_ v6: UnsafeRawBufferPointer) -> ClientNetwork {
        let network = v6.loadUnaligned(as: UInt64.self)
        let isMapped = network == 0 && v6.loadUnaligned(fromByteOffset: 8, as: UInt32.self).bigEndian == 0xFFFF
        return isMapped ? .v4(v6.loadUnaligned(fromByteOffset: 12, as: UInt32.self)) : .v6(network)
    }
}
