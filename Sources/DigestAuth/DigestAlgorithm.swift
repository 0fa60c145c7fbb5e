internal import OpenSSLCrypto

/// The algorithms that are offered over HTTP.
///
/// SHA-512/256 is kept for SIP servers only: the Linphone client of Debian 12 crashes when a challenge leads with
/// an algorithm that it does not know.
public enum DigestAlgorithm: String, Hashable, Sendable, CaseIterable {
    case md5 = "MD5"
    case sha256 = "SHA-256"

    /// Reads the `algorithm` parameter, whose case does not matter; `nil` for every other one, the `-sess` forms too.
    public init?(parameter: String) {
        let folded = parameter.uppercased()
        guard let algorithm = Self.allCases.first(where: { $0.rawValue == folded }) else { return nil }
        self = algorithm
    }

    var hashFunction: HashFunction {
        switch self {
        case .md5: .md5
        case .sha256: .sha256
        }
    }
}
