import FoundationEssentials
import PGClient

/// Codes that were sent to mail addresses, found by the SHA-256 of their text.
struct ConfirmationRepository: Sendable {
    /// What the owner of a code may confirm, and for which account.
    struct Pending: Hashable, Sendable {
        enum Matter: Hashable, Sendable {
            case newAddress
            case account
        }

        let matter: Matter
        let id: Account.ID
        let address: SIPAddress
    }

    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    /// What waits for the code; `nil` when there is nothing, or it has expired.
    func find(_ codeHash: [UInt8], in scope: DomainScope, at now: Date) async throws -> Pending? {
        try await self.db.query(Self.find(codeHash, in: scope, at: now)).first.map { row in
            let (isChange, id, username, name) = try row.decode((Bool, Account.ID, String, String).self)
            guard let username = Username(username), let domain = DomainName(name) else {
                throw MalformedRow(column: "username")
            }
            return Pending(
                matter: isChange ? .newAddress : .account, id: id,
                address: SIPAddress(username: username, domain: domain))
        }
    }

    static func find(_ codeHash: [UInt8], in scope: DomainScope, at now: Date) -> PGQuery {
        """
        SELECT true AS is_change, account.id, account.username, domain.name
        FROM flexi.email_changes AS change
        JOIN flexi.accounts AS account ON account.id = change.account_id
        JOIN flexi.domains AS domain ON domain.id = account.domain_id
        WHERE change.code_hash = \(codeHash) AND change.expires_at > \(now)
            AND account.activated AND NOT domain.suspended AND \(scope.condition)
        UNION ALL
        SELECT false, account.id, account.username, domain.name
        FROM flexi.activation_codes AS code
        JOIN flexi.accounts AS account ON account.id = code.account_id
        JOIN flexi.domains AS domain ON domain.id = account.domain_id
        WHERE code.code_hash = \(codeHash) AND code.purpose = 'email'
            AND (code.expires_at IS NULL OR code.expires_at > \(now))
            AND NOT account.blocked AND NOT domain.suspended AND \(scope.condition)
        """
    }
}
