internal import OpenSSLCrypto

/// The answer of a client to a challenge: an `Authorization` header that is well-formed, but not yet verified.
public struct DigestCredentials: Hashable, Sendable {
    /// In bytes; what is longer is refused unread.
    public static let maximumLength = 4096

    public let username: String
    public let realm: String
    public let nonce: String
    public let uri: String
    public let algorithm: DigestAlgorithm
    public let opaque: String
    /// How many requests the client has sent with this nonce; at least 1.
    public let count: UInt32

    let response: [UInt8]
    let clientNonce: String
    /// These two are hashed as the client wrote them.
    let countText: String
    let protection: String

    /// Reads the value of an `Authorization` header. Parameters nobody knows are ignored; a missing `algorithm`
    /// is MD5, as RFC 7616 says.
    public init(parsing header: String) throws(DigestParseError) {
        guard header.utf8.count <= Self.maximumLength else { throw DigestParseError.tooLong }
        let values = try AuthParameters(scheme: "Digest", parsing: header).values
        func required(_ parameter: DigestParameter) throws(DigestParseError) -> String {
            guard let value = values[parameter.rawValue] else { throw DigestParseError.missing(parameter) }
            return value
        }

        guard values["username*"] == nil, values["userhash"]?.lowercased() ?? "false" == "false" else {
            throw DigestParseError.unsupportedUsername
        }
        self.username = try required(.username)
        self.realm = try required(.realm)
        self.nonce = try required(.nonce)
        self.uri = try required(.uri)
        self.opaque = try required(.opaque)

        guard let algorithm = DigestAlgorithm(parameter: values["algorithm"] ?? DigestAlgorithm.md5.rawValue) else {
            throw DigestParseError.unsupportedAlgorithm
        }
        self.algorithm = algorithm

        self.protection = try required(.qop)
        guard self.protection.lowercased() == "auth" else { throw DigestParseError.unsupportedProtection }

        self.clientNonce = try required(.cnonce)
        guard !self.clientNonce.isEmpty else { throw DigestParseError.invalid(.cnonce) }

        self.countText = try required(.nc)
        guard self.countText.utf8.count == 8, let digits = Hex.decode(self.countText) else {
            throw DigestParseError.invalid(.nc)
        }
        self.count = digits.reduce(0) { $0 << 8 | UInt32($1) }
        guard self.count > 0 else { throw DigestParseError.invalid(.nc) }

        guard let response = Hex.decode(try required(.response)), response.count == algorithm.hashFunction.byteCount
        else { throw DigestParseError.invalid(.response) }
        self.response = response
    }
}
