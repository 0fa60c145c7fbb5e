public import struct FoundationEssentials.Date

/// A nonce that this server, or one that shares its key, has issued.
public struct DigestNonce: Hashable, Sendable {
    /// 16 random bytes, under which the count of its uses is kept.
    public let id: [UInt8]
    /// Exact to the millisecond.
    public let issuedAt: Date
}
