import FoundationEssentials
import PGClient

/// Codes by which accounts are activated.
struct ActivationRepository: Sendable {
    struct PendingCode: Sendable {
        let id: Int64
        let account: Account.ID
        let hash: [UInt8]
        /// Of PINs alone.
        let wrongTries: Int
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
            SELECT code.id, code.account_id, code.code_hash, code.attempts, code.expires_at
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
                wrongTries: Int(row.decode("attempts", as: Int16.self)), expiresAt: row.decode("expires_at"))
        }
    }

    func countWrongTry(of code: Int64) async throws {
        try await self.db.execute("UPDATE flexi.activation_codes SET attempts = attempts + 1 WHERE id = \(code)")
    }

    /// Activates an account that is locked, and takes its codes away. A number that a PIN was sent to stays with it only where it is
    /// activated by that.
    func activate(_ account: Account.ID, by purpose: ActivationCode.Purpose) async throws {
        try await self.db.execute(
            """
            WITH confirmed AS (
                DELETE FROM flexi.activation_codes WHERE account_id = \(account) RETURNING purpose
            )
            UPDATE flexi.accounts
            SET activated = true,
                phone = CASE WHEN \(purpose.rawValue) = 'phone' OR NOT EXISTS (SELECT FROM confirmed WHERE purpose = 'phone')
                    THEN phone END
            WHERE id = \(account)
            """
        )
    }
}
