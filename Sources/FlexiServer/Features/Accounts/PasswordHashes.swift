import DigestAuth

/// The hashes that are kept of one password: what HTTP and SIP digest need, and never the password.
struct PasswordHashes: Sendable {
    struct Hash: Sendable {
        let algorithm: DigestAlgorithm
        let ha1: String
        /// MD5 over `user@domain`, for SIP servers that compute with the whole address; beside MD5 only.
        let ha1b: String?
        /// SHA-512/256, for SIP servers that prefer it; beside SHA-256 only.
        let ha1SHA512T256: String?
    }

    let realm: String
    let hashes: [Hash]

    /// Hashes for the account that is `username` in `domain`. With `both`, MD5 and SHA-256 are kept whatever was
    /// asked; otherwise the one asked for and nothing weaker.
    init(
        of password: Secret<String>, username: Username, domain: DomainName, realm: String, algorithm: DigestAlgorithm,
        both: Bool
    ) {
        let clear = password.reveal()
        self.realm = realm
        self.hashes = (both ? DigestAlgorithm.allCases : [algorithm]).map { algorithm in
            let ha1 = HA1.compute(algorithm, username: username.value, realm: realm, password: clear)
            return switch algorithm {
            case .md5:
                Hash(
                    algorithm: algorithm, ha1: ha1,
                    ha1b: HA1.md5WithDomain(
                        username: username.value, domain: domain.value, realm: realm, password: clear),
                    ha1SHA512T256: nil)
            case .sha256:
                Hash(
                    algorithm: algorithm, ha1: ha1, ha1b: nil,
                    ha1SHA512T256: HA1.sha512Truncated256(username: username.value, realm: realm, password: clear))
            }
        }
    }
}
