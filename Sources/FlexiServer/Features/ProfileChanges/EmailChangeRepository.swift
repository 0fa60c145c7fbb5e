import FoundationEssentials
import PGClient

/// New mail addresses that wait until somebody shows that mail reaches them; one an account.
struct EmailChangeRepository: Sendable {
    struct Pending: Sendable {
        let newEmail: EmailAddress
        let codeHash: [UInt8]
        let expiresAt: Date
    }

    private let db: PGTransaction

    init(_ db: PGTransaction) {
        self.db = db
    }

    /// Takes the place of a change that waits already, whose code is void from now on.
    func put(
        _ newEmail: EmailAddress, codeHash: [UInt8], expiresAt: Date, of account: Account.ID, at now: Date
    ) async throws {
        try await self.db.execute(
            """
            INSERT INTO flexi.email_changes (account_id, new_email, code_hash, expires_at, created_at)
            VALUES (\(account), \(newEmail.value), \(codeHash), \(expiresAt), \(now))
            ON CONFLICT ON CONSTRAINT email_changes_pkey DO UPDATE
            SET new_email = excluded.new_email, code_hash = excluded.code_hash, expires_at = excluded.expires_at,
                created_at = excluded.created_at
            """
        )
    }

    /// What waits for the account, which the transaction has locked.
    func find(of account: Account.ID) async throws -> Pending? {
        try await self.db.query(
            "SELECT new_email, code_hash, expires_at FROM flexi.email_changes WHERE account_id = \(account)"
        ).first.map { row in
            guard let newEmail = try EmailAddress(row.decode("new_email")) else {
                throw MalformedRow(column: "new_email")
            }
            return try Pending(
                newEmail: newEmail, codeHash: row.decode("code_hash"), expiresAt: row.decode("expires_at"))
        }
    }

    func delete(of account: Account.ID) async throws {
        try await self.db.execute("DELETE FROM flexi.email_changes WHERE account_id = \(account)")
    }
}
