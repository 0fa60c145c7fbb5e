import FoundationEssentials
import PGClient

/// New phone numbers that wait until somebody shows that short messages reach them; one an account.
struct PhoneChangeRepository: Sendable {
    struct Pending: Sendable {
        let newPhone: PhoneNumber
        let codeHash: [UInt8]
        /// Wrong tries so far.
        let attempts: Int
        let expiresAt: Date
    }

    private let db: PGTransaction

    init(_ db: PGTransaction) {
        self.db = db
    }

    /// Whether the number means an account of the domain, as its phone or as its user name.
    func isTaken(_ number: PhoneNumber, in domain: RegisteredDomain) async throws -> Bool {
        try await !self.db.query(
            "SELECT FROM flexi.phone_numbers WHERE domain_id = \(domain.id) AND number = \(number.value)"
        ).isEmpty
    }

    /// Takes the place of a change that waits already, whose PIN is void from now on.
    func put(
        _ newPhone: PhoneNumber, codeHash: [UInt8], expiresAt: Date, of account: Account.ID, at now: Date
    ) async throws {
        try await self.db.execute(
            """
            INSERT INTO flexi.phone_changes (account_id, new_phone, code_hash, expires_at, created_at)
            VALUES (\(account), \(newPhone.value), \(codeHash), \(expiresAt), \(now))
            ON CONFLICT ON CONSTRAINT phone_changes_pkey DO UPDATE
            SET new_phone = excluded.new_phone, code_hash = excluded.code_hash, attempts = 0,
                expires_at = excluded.expires_at, created_at = excluded.created_at
            """
        )
    }

    /// What waits for the account, which the transaction has locked.
    func find(of account: Account.ID) async throws -> Pending? {
        try await self.db.query(
            "SELECT new_phone, code_hash, attempts, expires_at FROM flexi.phone_changes WHERE account_id = \(account)"
        ).first.map { row in
            guard let newPhone = try PhoneNumber(row.decode("new_phone")) else {
                throw MalformedRow(column: "new_phone")
            }
            return try Pending(
                newPhone: newPhone, codeHash: row.decode("code_hash"),
                attempts: Int(row.decode("attempts", as: Int16.self)), expiresAt: row.decode("expires_at"))
        }
    }

    func countWrongTry(of account: Account.ID) async throws {
        try await self.db.execute(
            "UPDATE flexi.phone_changes SET attempts = attempts + 1 WHERE account_id = \(account)")
    }

    func delete(of account: Account.ID) async throws {
        try await self.db.execute("DELETE FROM flexi.phone_changes WHERE account_id = \(account)")
    }
}
