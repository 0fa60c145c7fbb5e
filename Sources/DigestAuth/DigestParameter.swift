/// The parameters of an answer to a challenge, RFC 7616, section 3.4.
public enum DigestParameter: String, Hashable, Sendable, CaseIterable {
    case username
    case realm
    case nonce
    case uri
    case response
    case algorithm
    case cnonce
    case opaque
    case qop
    case nc
}
