public import OpenSSLCrypto

public import struct FoundationEssentials.Date

/// Issues nonces that prove themselves, so that a request without credentials writes nothing anywhere.
///
/// A nonce is the hex form of the time of issue (milliseconds since 1970, 8 bytes), 16 random bytes, and an
/// HMAC-SHA-256 over both and the account, cut to 16 bytes. Servers that share the key accept each other's nonces.
public struct DigestNonceIssuer: Sendable {
    public enum Verdict: Hashable, Sendable {
        case valid(DigestNonce)
        /// Authentic, but older than the lifetime, or from a clock that is ahead of ours by more than a minute.
        case stale
        /// Not issued with this key for this account.
        case invalid
    }

    private static let timeLength = 8
    private static let randomLength = 16
    private static let codeLength = 16
    private static let clockTolerance: Duration = .seconds(60)

    private let key: SecretKey
    private let lifetime: Duration

    public init(key: SecretKey, lifetime: Duration) {
        self.key = key
        self.lifetime = lifetime
    }

    /// `account` is an address (`user@domain`) in lower case, whether such an account exists or not.
    public func issue(for account: String, at now: Date) -> String {
        let milliseconds = UInt64(max(0, now.timeIntervalSince1970 * 1000).rounded())
        let time = (0..<Self.timeLength).reversed().map { UInt8(truncatingIfNeeded: milliseconds >> (8 * UInt64($0))) }
        let stamp = time + SecureRandom.bytes(Self.randomLength)
        return Hex.encode(stamp + self.code(of: stamp, for: account))
    }

    public func check(_ nonce: String, for account: String, at now: Date) -> Verdict {
        let stampLength = Self.timeLength + Self.randomLength
        guard nonce.utf8.count == 2 * (stampLength + Self.codeLength), let bytes = Hex.decode(nonce) else {
            return .invalid
        }
        let stamp = Array(bytes.prefix(stampLength))
        guard ConstantTime.equal(Array(bytes.dropFirst(stampLength)), self.code(of: stamp, for: account)) else {
            return .invalid
        }
        let milliseconds = stamp.prefix(Self.timeLength).reduce(0) { $0 << 8 | UInt64($1) }
        let issuedAt = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
        let age = Duration.seconds(now.timeIntervalSince(issuedAt))
        guard age <= self.lifetime, age >= .zero - Self.clockTolerance else { return .stale }
        return .valid(DigestNonce(id: Array(stamp.dropFirst(Self.timeLength)), issuedAt: issuedAt))
    }

    /// The stamp has a fixed length, so that no other split of stamp and account gives the same message.
    private func code(of stamp: [UInt8], for account: String) -> [UInt8] {
        Array(HMACSHA256.authenticate(stamp + account.utf8, key: self.key).prefix(Self.codeLength))
    }
}
