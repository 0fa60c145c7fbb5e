import FoundationEssentials
import PGClient

/// The ends of accounts: deactivation, deletion, and what must outlive them.
struct AccountLifeRepository: Sendable {
    /// Without it nobody could act in every domain any more.
    struct LastSuperAdministrator: Error {}

    private let db: PGTransaction

    init(_ db: PGTransaction) {
        self.db = db
    }

    /// Makes sure that, while this transaction takes `account` out of service, another active super administrator is there.
    /// Whoever else asks the same waits for its end.
    ///
    /// Throws `LastSuperAdministrator` when `account` is the only one.
    func keepASuperAdministrator(besides account: Account.ID) async throws {
        let locked = try await self.db.query(
            "SELECT account_id FROM flexi.admins WHERE scope = 'super' ORDER BY account_id FOR UPDATE"
        ).map { try $0.decode(Account.ID.self) }
        guard locked.contains(account) else { return }
        // Another statement, which sees what the one that was waited for did.
        let others = try await self.db.query(
            """
            SELECT FROM flexi.admins AS admin
            JOIN flexi.accounts AS account ON account.id = admin.account_id
            WHERE admin.scope = 'super' AND account.activated AND account.id <> \(account)
            LIMIT 1
            """
        )
        guard !others.isEmpty else { throw LastSuperAdministrator() }
    }

    /// Deletes the account with all that belongs to it. Its name stays as a tombstone. Returns whether it was there.
    @discardableResult
    func delete(_ account: Account.ID, in scope: DomainScope, at now: Date) async throws -> Bool {
        try await !self.db.query(
            """
            WITH deleted AS (
                DELETE FROM flexi.accounts AS account USING flexi.domains AS domain
                WHERE account.id = \(account) AND domain.id = account.domain_id AND \(scope.condition)
                RETURNING account.domain_id, account.username
            ), buried AS (
                INSERT INTO flexi.account_tombstones (domain_id, username, created_at)
                SELECT domain_id, username, \(now) FROM deleted
                ON CONFLICT ON CONSTRAINT account_tombstones_domain_id_username_key DO UPDATE
                SET created_at = excluded.created_at
            )
            SELECT FROM deleted
            """
        ).isEmpty
    }

    func removeAdmin(_ account: Account.ID) async throws {
        try await self.db.execute("DELETE FROM flexi.admins WHERE account_id = \(account)")
    }

    /// Takes the account out of service until an administrator activates it, with every secret that could open it or change
    /// it. API keys stay, and open nothing as long.
    func deactivate(_ account: Account.ID) async throws {
        try await self.db.execute("UPDATE flexi.accounts SET activated = false, blocked = true WHERE id = \(account)")
        try await self.db.execute("DELETE FROM flexi.provisioning_tokens WHERE account_id = \(account)")
        try await self.db.execute("DELETE FROM flexi.activation_codes WHERE account_id = \(account)")
        try await self.db.execute("DELETE FROM flexi.auth_tokens WHERE account_id = \(account)")
        try await self.db.execute("DELETE FROM flexi.email_changes WHERE account_id = \(account)")
        try await self.db.execute("DELETE FROM flexi.phone_changes WHERE account_id = \(account)")
    }
}
