/// What a verified answer is worth.
public enum DigestVerdict: Hashable, Sendable {
    /// Everything is right. The caller has still to see to it that `count` grows for this nonce.
    case accepted(DigestNonce, count: UInt32)
    /// Everything is right except the age of the nonce: challenge again with `stale=true`.
    case staleNonce
    /// The nonce was not issued for this account.
    case invalidNonce
    /// Another realm, target, user name or password, or an algorithm that was not offered.
    case rejected
}
