import FoundationEssentials
import PGClient

/// API keys, stored as the SHA-256 of their text.
struct APIKeyRepository: Sendable {
    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    /// Makes this the account's unnamed key; the one before it opens nothing from now on. Named keys stay.
    func replaceUnnamed(of account: Account.ID, with keyHash: [UInt8], at now: Date) async throws {
        try await self.db.execute(
            """
            INSERT INTO flexi.api_keys (account_id, key_hash, created_at, last_used_at)
            VALUES (\(account), \(keyHash), \(now), \(now))
            ON CONFLICT ON CONSTRAINT api_keys_account_id_name_key DO UPDATE
            SET key_hash = excluded.key_hash, created_at = excluded.created_at, last_used_at = excluded.last_used_at
            """
        )
    }

    /// Makes a named key, which lives beside the unnamed one; `expiresAt` is `nil` for a key that stays. Returns `false` when
    /// the account has one of the name.
    func insert(
        _ keyHash: [UInt8], name: String, of account: Account.ID, expiresAt: Date?, at now: Date
    ) async throws -> Bool {
        try await !self.db.query(
            """
            INSERT INTO flexi.api_keys (account_id, name, key_hash, created_at, last_used_at, expires_at)
            VALUES (\(account), \(name), \(keyHash), \(now), \(now), \(expiresAt))
            ON CONFLICT ON CONSTRAINT api_keys_account_id_name_key DO NOTHING
            RETURNING id
            """
        ).isEmpty
    }
}
