/// What can go wrong for a caller of this module; everything else that libcrypto reports is a broken
/// installation and ends the process.
public enum CryptoError: Error, Hashable, Sendable {
    /// libcrypto refuses an algorithm, as a FIPS-only installation refuses MD5. Carries its OpenSSL name.
    case algorithmUnavailable(String)
    /// The key does not have the length that the algorithm demands.
    case wrongKeyLength
    /// The sealed value is too short, or of a format version that this build does not know.
    case malformedSeal
    /// The value was sealed with a key that is not in the ring.
    case unknownKey
    /// The tag does not fit: another key, other additional data, or altered bytes.
    case notAuthentic
}

extension CryptoError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .algorithmUnavailable(let name): "the cryptographic library does not offer \(name)"
        case .wrongKeyLength: "the key has the wrong length"
        case .malformedSeal: "the sealed value is malformed"
        case .unknownKey: "the value was sealed with a key that is not configured"
        case .notAuthentic: "the sealed value is not authentic"
        }
    }
}
