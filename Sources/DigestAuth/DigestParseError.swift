/// Why an `Authorization` header is not a usable Digest answer.
public enum DigestParseError: Error, Hashable, Sendable {
    /// Longer than `DigestCredentials.maximumLength` bytes.
    case tooLong
    /// Not the `Digest` scheme, so that another one may be tried.
    case otherScheme
    /// Breaks the grammar of RFC 9110, section 11.4.
    case malformed
    /// A control character, which has no place even between quotes.
    case controlCharacter
    /// A parameter appears twice.
    case duplicateParameter
    case missing(DigestParameter)
    /// The value cannot be one of this parameter: a count that is not eight hexadecimal digits, say.
    case invalid(DigestParameter)
    case unsupportedAlgorithm
    /// Only `qop=auth` is offered.
    case unsupportedProtection
    /// `username*` or `userhash=true`, which were not offered.
    case unsupportedUsername
}

extension DigestParseError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLong: "the authorization header is too long"
        case .otherScheme: "the authorization scheme is not Digest"
        case .malformed: "the authorization header is malformed"
        case .controlCharacter: "the authorization header contains a control character"
        case .duplicateParameter: "the authorization header repeats a parameter"
        case .missing(let parameter): "the authorization header lacks \(parameter.rawValue)"
        case .invalid(let parameter): "the authorization header has an invalid \(parameter.rawValue)"
        case .unsupportedAlgorithm: "the digest algorithm is not offered"
        case .unsupportedProtection: "the quality of protection is not offered"
        case .unsupportedUsername: "encoded and hashed user names are not offered"
        }
    }
}
