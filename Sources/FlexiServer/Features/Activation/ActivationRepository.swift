import FoundationEssentials
import PGClient

/// Codes by which accounts are activated.
struct ActivationRepository: Sendable {
    struct PendingCode: Sendable {
        let id: Int64
        let account: Account.ID
        let hash: [UInt8]
        let expiresAt: Date?
    }

    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    /// The code that waits for `address`, locked with its account until the transaction ends, so that tries are counted one
    /// by one. None for an account that an administrator deactivated.
    func lock(
        _ purpose: ActivationCode.Purpose, of address: SIPAddress, in scope: DomainScope
    ) async throws -> PendingCode? {
        guard scope.contains(address.domain) else { return nil }
        return try await self.db.query(
            """
            SELECT code.id, code.account_id, code.code_hash, code.expires_at
            FROM flexi.accounts AS account
            JOIN flexi.domains AS domain ON domain.id = account.domain_id
            JOIN flexi.activation_codes AS code ON code.account_id = account.id
            WHERE account.username = \(address.username) AND domain.name = \(address.domain.value)
                AND code.purpose = \(purpose.rawValue) AND NOT account.blocked AND NOT domain.suspended
            FOR UPDATE OF account, code
            """
        ).first.map { row in
            try PendingCode(
                id: row.decode("id"), account: row.decode("account_id"), hash: row.decode("code_hash"),
                expiresAt: row.decode("expires_at"))
        }
    }

    /// Counts a wrong try; the last one that is allowed takes the code away.
    func countWrongTry(of code: Int64, allowing tries: Int) async throws {
        try await self.db.execute(
            """
            WITH burnt AS (
                DELETE FROM flexi.activation_codes WHERE id = \(code) AND attempts + 1 >= \(tries) RETURNING id
            )
            UPDATE flexi.activation_codes SET attempts = attempts + 1
            WHERE id = \(code) AND NOT EXISTS (SELECT FROM burnt)
            """
        )
    }

    /// Activates the account and takes its codes away; `false`, with nothing changed, when an administrator has
    /// deactivated it.
    func activate(_ account: Account.ID) async throws -> Bool {
        try await !self.db.query(
            """
            WITH activated AS (
                UPDATE flexi.accounts SET activated = true WHERE id = \(account) AND NOT blocked RETURNING id
            ), confirmed AS (
                DELETE FROM flexi.activation_codes USING activated WHERE account_id = activated.id
            )
            SELECT FROM activated
            """
        ).isEmpty
    }
}
