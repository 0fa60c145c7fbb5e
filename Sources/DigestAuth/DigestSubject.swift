/// Whom a request claims to come from, and what it has to prove.
public struct DigestSubject: Sendable {
    /// `user@domain` in lower case: nonces are bound to it.
    public let address: String
    /// The user part, as `username` of the answer must spell it.
    public let username: String
    public let realm: String
    let hashes: [DigestAlgorithm: String]

    /// `hashes` are the stored HA1 in lower-case hex; exactly their algorithms are offered.
    public init(username: String, domain: String, realm: String, hashes: [DigestAlgorithm: String]) {
        self.address = "\(username)@\(domain)"
        self.username = username
        self.realm = realm
        self.hashes = hashes
    }

    /// Stands for an account that is unknown, inactive or has no password: it is offered SHA-256 and costs the same
    /// work, and no answer is ever right.
    public static func decoy(username: String, domain: String, realm: String) -> DigestSubject {
        DigestSubject(username: username, domain: domain, realm: realm, hashes: [:])
    }

    /// MD5 before SHA-256: clients take the first that they know, and some crash behind an unknown one.
    var offeredAlgorithms: [DigestAlgorithm] {
        self.hashes.isEmpty ? [.sha256] : DigestAlgorithm.allCases.filter { self.hashes[$0] != nil }
    }
}
