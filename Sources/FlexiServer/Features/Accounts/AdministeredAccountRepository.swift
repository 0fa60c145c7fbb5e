import PGClient

/// The account that an administrator's request is about, as far as a decision needs it.
struct AdministeredAccount: Sendable {
    let id: Account.ID
    let dtmfProtocol: DTMFProtocol?
    let adminScope: AdminScope?
}

struct AdministeredAccountRepository: Sendable {
    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    func find(_ id: Account.ID, in scope: DomainScope) async throws -> AdministeredAccount? {
        try await self.db.query(
            """
            SELECT account.id, account.dtmf_protocol, admin.scope
            FROM flexi.accounts AS account
            JOIN flexi.domains AS domain ON domain.id = account.domain_id
            LEFT JOIN flexi.admins AS admin ON admin.account_id = account.id
            WHERE account.id = \(id) AND \(scope.condition)
            """
        ).first.map { row in
            let (id, dtmfProtocol, adminScope) = try row.decode((Account.ID, String?, String?).self)
            return AdministeredAccount(
                id: id, dtmfProtocol: dtmfProtocol.flatMap(DTMFProtocol.init),
                adminScope: adminScope.flatMap(AdminScope.init))
        }
    }
}

extension AdminContext {
    /// The account whose id the path names as `account`; 404 outside of the administrator's domains.
    func administeredAccount(_ services: Services) async throws -> AdministeredAccount {
        let id = try Account.ID(rawValue: self.id("account"))
        let accounts = AdministeredAccountRepository(services.database)
        guard let account = try await accounts.find(id, in: self.scope) else { throw APIError.notFound() }
        return account
    }

    /// The same, for a change: 403 for a super administrator's account unless another one makes it.
    func changeableAccount(_ services: Services) async throws -> AdministeredAccount {
        let account = try await self.administeredAccount(services)
        guard account.adminScope != .super || self.account.adminScope == .super else {
            throw APIError.superAdministratorsOnly
        }
        return account
    }
}

extension APIError {
    static let superAdministratorsOnly = APIError.forbidden(
        "Only super administrators may change a super administrator's account.")
}
