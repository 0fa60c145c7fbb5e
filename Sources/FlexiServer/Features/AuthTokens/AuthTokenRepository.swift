import FoundationEssentials
import PGClient

/// Tokens by which a device without credentials gets those of an account: it makes one, shows it, and a device that is
/// logged in attaches it to its own account. Stored as the SHA-256 of their text.
struct AuthTokenRepository: Sendable {
    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    /// Keeps a token that belongs to nobody yet, and returns its row's id.
    func insert(_ tokenHash: [UInt8], expiresAt: Date, at now: Date) async throws -> Int64 {
        try await self.db.query(
            """
            INSERT INTO flexi.auth_tokens (token_hash, created_at, expires_at)
            VALUES (\(tokenHash), \(now), \(expiresAt)) RETURNING id
            """
        )[0].decode(Int64.self)
    }

    /// Gives the token to the account; of any number of accounts that ask, one gets it.
    ///
    /// Returns `false` when no such token is free.
    func attach(_ tokenHash: [UInt8], to account: Account.ID, at now: Date) async throws -> Bool {
        try await self.db.query(
            """
            UPDATE flexi.auth_tokens SET account_id = \(account)
            WHERE token_hash = \(tokenHash) AND account_id IS NULL AND expires_at > \(now)
            RETURNING id
            """
        ).isEmpty == false
    }

    /// Takes an attached token away and returns its account, which is active and in `scope`; `nil`, with nothing changed,
    /// when there is none. The account is locked first, as by every change.
    func consume(_ tokenHash: [UInt8], in scope: DomainScope, at now: Date) async throws -> Account.ID? {
        try await self.db.query(
            """
            WITH locked AS (
                SELECT account.id
                FROM flexi.auth_tokens AS token, flexi.accounts AS account, flexi.domains AS domain
                WHERE token.token_hash = \(tokenHash) AND token.expires_at > \(now)
                    AND account.id = token.account_id AND domain.id = account.domain_id
                    AND account.activated AND NOT domain.suspended AND \(scope.condition)
                FOR NO KEY UPDATE OF account
            )
            DELETE FROM flexi.auth_tokens AS token USING locked
            WHERE token.token_hash = \(tokenHash) AND token.account_id = locked.id
            RETURNING locked.id
            """
        ).first?.decode(Account.ID.self)
    }
}
