import FoundationEssentials
import PGClient

/// Provisioning tokens, which hand an account's credentials to a client once.
struct ProvisioningRepository: Sendable {
    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    /// Takes the token away and returns the account it was for, activating it if it was not: one statement,
    /// so of any number of requests with one token exactly one is served. The account is locked first, as by every change.
    ///
    /// `nil` when no such token exists in `scope`, when the account's activation expired, or when its domain
    /// is suspended; nothing changes then.
    func consume(
        _ tokenHash: [UInt8], in scope: DomainScope, at now: Date
    ) async throws -> ProvisioningDocument.Account? {
        try await self.account(
            from: self.db.query(
                """
                WITH locked AS (
                    SELECT account.id
                    FROM flexi.provisioning_tokens AS token, flexi.accounts AS account, flexi.domains AS domain
                    WHERE \(self.isValid(tokenHash, in: scope, at: now))
                    FOR NO KEY UPDATE OF account
                ), consumed AS (
                    DELETE FROM flexi.provisioning_tokens AS token USING locked
                    WHERE token.account_id = locked.id AND token.token_hash = \(tokenHash)
                    RETURNING token.account_id
                ), activated AS (
                    UPDATE flexi.accounts AS account SET activated = true
                    FROM consumed WHERE account.id = consumed.account_id AND NOT account.activated
                    RETURNING account.id
                ), confirmed AS (
                    DELETE FROM flexi.activation_codes AS code USING activated WHERE code.account_id = activated.id
                )
                SELECT account.username, domain.name AS domain, password.algorithm, password.realm, password.ha1
                FROM consumed
                JOIN flexi.accounts AS account ON account.id = consumed.account_id
                JOIN flexi.domains AS domain ON domain.id = account.domain_id
                LEFT JOIN flexi.passwords AS password ON password.account_id = account.id
                ORDER BY password.algorithm
                """
            )
        )
    }

    /// Whether `consume` would find the token now.
    func exists(_ tokenHash: [UInt8], in scope: DomainScope, at now: Date) async throws -> Bool {
        try await !self.db.query(
            """
            SELECT FROM flexi.provisioning_tokens AS token, flexi.accounts AS account, flexi.domains AS domain
            WHERE \(self.isValid(tokenHash, in: scope, at: now))
            """
        ).isEmpty
    }

    func find(_ id: Account.ID) async throws -> ProvisioningDocument.Account? {
        try await self.account(
            from: self.db.query(
                """
                SELECT account.username, domain.name AS domain, password.algorithm, password.realm, password.ha1
                FROM flexi.accounts AS account
                JOIN flexi.domains AS domain ON domain.id = account.domain_id
                LEFT JOIN flexi.passwords AS password ON password.account_id = account.id
                WHERE account.id = \(id)
                ORDER BY password.algorithm
                """
            )
        )
    }

    private func isValid(_ tokenHash: [UInt8], in scope: DomainScope, at now: Date) -> PGQuery {
        """
        token.token_hash = \(tokenHash) AND account.id = token.account_id AND domain.id = account.domain_id
        AND \(scope.condition) AND NOT account.blocked AND NOT domain.suspended
        AND (account.activated OR NOT EXISTS (
            SELECT FROM flexi.activation_codes AS code
            WHERE code.account_id = account.id AND code.purpose = 'email' AND code.expires_at <= \(now)
        ))
        """
    }

    /// One row a password, the account's name in each; an account without a password is one row without a hash.
    private func account(from rows: PGRows) throws -> ProvisioningDocument.Account? {
        guard let first = rows.first else { return nil }
        guard let username = try Username(first.decode("username")) else { throw MalformedRow(column: "username") }
        guard let domain = try DomainName(first.decode("domain", as: String.self)) else {
            throw MalformedRow(column: "domain")
        }
        let credentials = try rows.compactMap { row -> ProvisioningDocument.Account.Credential? in
            guard let algorithm = try row.decode("algorithm", as: String?.self) else { return nil }
            return try .init(algorithm: algorithm, realm: row.decode("realm"), ha1: Secret(row.decode("ha1")))
        }
        return .init(address: SIPAddress(username: username, domain: domain), credentials: credentials)
    }
}
