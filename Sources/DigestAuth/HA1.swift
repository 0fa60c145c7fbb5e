internal import OpenSSLCrypto

/// The hash of user name, realm and password that a server stores in place of the password, in lower-case hex.
public enum HA1 {
    public static func compute(
        _ algorithm: DigestAlgorithm, username: String, realm: String, password: String
    ) -> String {
        Self.hash(algorithm.hashFunction, username: username, realm: realm, password: password)
    }

    /// MD5 over `user@domain`, for SIP servers that take the whole address as the user name (`ha1b`).
    public static func md5WithDomain(username: String, domain: String, realm: String, password: String) -> String {
        Self.hash(.md5, username: "\(username)@\(domain)", realm: realm, password: password)
    }

    /// SHA-512/256 of FIPS 180-4, for SIP servers only.
    public static func sha512Truncated256(username: String, realm: String, password: String) -> String {
        Self.hash(.sha512Truncated256, username: username, realm: realm, password: password)
    }

    private static func hash(
        _ function: HashFunction, username: String, realm: String, password: String
    ) -> String {
        Hex.encode(function.hash("\(username):\(realm):\(password)"))
    }
}
