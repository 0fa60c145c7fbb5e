import FoundationEssentials
import PGClient

/// Deletes what has served its time, in every domain. Rows that somebody else holds at this moment are left for another time.
struct HousekeepingRepository: Sendable {
    /// "flexi" in ASCII, cut to four letters; advisory locks are counted per database.
    private static let lockNamespace: Int32 = 0x666C_6578
    private static let lockKey: Int32 = 1

    private let db: PGTransaction

    init(_ db: PGTransaction) {
        self.db = db
    }

    /// Keeps every other process from housekeeping until the transaction ends; `false` when another one has done that. No
    /// session holds the lock, so it works through a pooler of connections, too.
    func tryLock() async throws -> Bool {
        try await self.db.query("SELECT pg_try_advisory_xact_lock(\(Self.lockNamespace), \(Self.lockKey))")[0].decode(
            Bool.self)
    }

    /// The same, after waiting for whoever has the lock.
    func lock() async throws {
        try await self.db.query("SELECT pg_advisory_xact_lock(\(Self.lockNamespace), \(Self.lockKey))")
    }

    /// Deletes at most `limit` rows of a chore that ended or began before `time`, and returns how many there were.
    func delete(_ chore: HousekeepingChore, before time: Date, limit: Int, at now: Date) async throws -> Int {
        try await self.db.execute(Self.delete(chore, before: time, limit: limit, at: now))
    }

    /// The rows are chosen first, as an array: as a subquery of IN they would be joined with the whole table by a plan that does not
    /// know how few they are.
    static func delete(_ chore: HousekeepingChore, before time: Date, limit: Int, at now: Date) -> PGQuery {
        switch chore {
        case .authTokens:
            """
            DELETE FROM flexi.auth_tokens WHERE id = ANY (ARRAY(
                SELECT id FROM flexi.auth_tokens WHERE expires_at <= \(time)
                ORDER BY expires_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            ))
            """
        case .unnamedKeys:
            """
            DELETE FROM flexi.api_keys WHERE id = ANY (ARRAY(
                SELECT id FROM flexi.api_keys WHERE name IS NULL AND last_used_at <= \(time)
                ORDER BY last_used_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            ))
            """
        case .namedKeys:
            """
            DELETE FROM flexi.api_keys WHERE id = ANY (ARRAY(
                SELECT id FROM flexi.api_keys WHERE expires_at IS NOT NULL AND expires_at <= \(time)
                ORDER BY expires_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            ))
            """
        case .creationTokens:
            """
            DELETE FROM flexi.account_creation_tokens WHERE id = ANY (ARRAY(
                SELECT id FROM flexi.account_creation_tokens WHERE used_at IS NULL AND created_at <= \(time)
                ORDER BY created_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            ))
            """
        case .activationCodes:
            // With its confirmation key an account's provisioning token has expired, too, which must not come back to life; and
            // without its PIN a number could not be told from one that is the account's.
            """
            WITH expired AS (
                SELECT code.id, code.account_id, code.purpose
                FROM flexi.activation_codes AS code
                JOIN flexi.accounts AS account ON account.id = code.account_id
                WHERE code.expires_at IS NOT NULL AND code.expires_at <= \(time)
                ORDER BY code.expires_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            ), voided AS (
                DELETE FROM flexi.provisioning_tokens AS token USING expired, flexi.accounts AS account
                WHERE expired.purpose = 'email' AND token.account_id = expired.account_id
                    AND account.id = expired.account_id AND NOT account.activated
            ), released AS (
                UPDATE flexi.accounts AS account SET phone = NULL FROM expired
                WHERE expired.purpose = 'phone' AND account.id = expired.account_id AND NOT account.activated
            )
            DELETE FROM flexi.activation_codes USING expired WHERE activation_codes.id = expired.id
            """
        case .emailChanges:
            """
            DELETE FROM flexi.email_changes WHERE account_id = ANY (ARRAY(
                SELECT account_id FROM flexi.email_changes WHERE expires_at <= \(time)
                ORDER BY expires_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            ))
            """
        case .phoneChanges:
            """
            DELETE FROM flexi.phone_changes WHERE account_id = ANY (ARRAY(
                SELECT account_id FROM flexi.phone_changes WHERE expires_at <= \(time)
                ORDER BY expires_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            ))
            """
        case .nonces:
            """
            DELETE FROM flexi.digest_nonces WHERE nonce = ANY (ARRAY(
                SELECT nonce FROM flexi.digest_nonces WHERE expires_at <= \(time)
                ORDER BY expires_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            ))
            """
        case .tombstones:
            """
            DELETE FROM flexi.account_tombstones WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM flexi.account_tombstones WHERE created_at <= \(time)
                ORDER BY created_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            ))
            """
        case .unconfirmedAccounts:
            // Not those that an administrator deactivated, nor those whose key is still good.
            """
            DELETE FROM flexi.accounts WHERE id = ANY (ARRAY(
                SELECT id FROM flexi.accounts AS account
                WHERE NOT activated AND NOT blocked AND creation_time <= \(time)
                    AND NOT EXISTS (SELECT FROM flexi.admins AS admin WHERE admin.account_id = account.id)
                    AND NOT EXISTS (
                        SELECT FROM flexi.activation_codes AS code
                        WHERE code.account_id = account.id AND code.expires_at > \(now)
                    )
                ORDER BY creation_time LIMIT \(limit) FOR UPDATE SKIP LOCKED
            ))
            """
        }
    }
}
