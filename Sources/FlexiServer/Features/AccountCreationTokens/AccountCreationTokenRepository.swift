import FoundationEssentials
import PGClient

/// Tokens that make one account each, in the domain of whoever made the token. Stored as the SHA-256 of their text.
struct AccountCreationTokenRepository: Sendable {
    struct UsedToken: Sendable {
        let id: Int64
        let domain: DomainName
        /// Sent to a device that anybody may have, and not made by an administrator.
        let isPushed: Bool
    }

    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    /// Keeps a token for an account in `domain`, and returns its row's id; `nil` when the domain is not registered.
    func insert(
        _ tokenHash: [UInt8], for domain: DomainName, by creator: Account.ID, at now: Date
    ) async throws -> Int64? {
        try await self.db.query(
            """
            INSERT INTO flexi.account_creation_tokens (domain_id, token_hash, created_by, created_at)
            SELECT id, \(tokenHash), \(creator), \(now) FROM flexi.domains WHERE name = \(domain.value)
            RETURNING id
            """
        ).first?.decode(Int64.self)
    }

    /// Marks the token as used until the transaction is rolled back; others who ask wait for its end. `nil` when there is no
    /// such token, it was used before, or it was made no later than `end`.
    func use(_ tokenHash: [UInt8], madeAfter end: Date?, at now: Date) async throws -> UsedToken? {
        try await self.db.query(
            """
            UPDATE flexi.account_creation_tokens AS token SET used_at = \(now)
            FROM flexi.domains AS domain
            WHERE token.token_hash = \(tokenHash) AND token.used_at IS NULL AND domain.id = token.domain_id
                AND (\(end)::timestamptz IS NULL OR token.created_at > \(end))
            RETURNING token.id, domain.name, token.pn_prid IS NOT NULL
            """
        ).first.map { row in
            let (id, name, isPushed) = try row.decode((Int64, String, Bool).self)
            guard let domain = DomainName(name) else { throw MalformedRow(column: "name") }
            return UsedToken(id: id, domain: domain, isPushed: isPushed)
        }
    }

    func setAccount(_ account: Account.ID, of token: Int64) async throws {
        try await self.db.execute(
            "UPDATE flexi.account_creation_tokens SET account_id = \(account) WHERE id = \(token)")
    }
}
