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
}
