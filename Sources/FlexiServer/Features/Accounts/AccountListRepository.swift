import PGClient

/// Lists of accounts: ids first, from indexes, and then the accounts of one page.
struct AccountListRepository: Sendable {
    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    func count(_ filter: AccountFilter, in scope: DomainScope) async throws -> Int {
        try await self.db.query(Self.count(filter, in: scope))[0].decode(Int.self)
    }

    /// The ids of one part, in their order.
    func ids(
        _ filter: AccountFilter, in scope: DomainScope, part: AccountListQuery.Part, size: Int
    ) async throws -> [Account.ID] {
        try await self.db.query(Self.ids(filter, in: scope, part: part, size: size)).map {
            try $0.decode(Account.ID.self)
        }
    }

    static func count(_ filter: AccountFilter, in scope: DomainScope) -> PGQuery {
        "SELECT count(*) FROM flexi.accounts AS account WHERE \(Self.condition(filter, scope))"
    }

    static func ids(
        _ filter: AccountFilter, in scope: DomainScope, part: AccountListQuery.Part, size: Int
    ) -> PGQuery {
        let condition = Self.condition(filter, scope)
        return switch part {
        case .page(let page):
            """
            SELECT account.id FROM flexi.accounts AS account WHERE \(condition)
            ORDER BY account.id LIMIT \(size) OFFSET \((page - 1) * size)
            """
        case .after(let last):
            """
            SELECT account.id FROM flexi.accounts AS account WHERE \(condition) AND account.id > \(last)
            ORDER BY account.id LIMIT \(size)
            """
        }
    }

    private static func condition(_ filter: AccountFilter, _ scope: DomainScope) -> PGQuery {
        var condition: PGQuery =
            switch scope {
            case .all: "true"
            // Not by a join: so the index of the domain's accounts serves the order, too.
            case .only(let name): "account.domain_id = (SELECT id FROM flexi.domains WHERE name = \(name.value))"
            }
        if let prefix = filter.usernamePrefix?.value {
            // In the order of bytes a tilde comes after everything that a name may have.
            condition = "\(condition) AND account.username >= \(prefix) AND account.username < \(prefix + "~")"
        }
        if let isActivated = filter.isActivated {
            condition = "\(condition) AND account.activated = \(isActivated)"
        }
        if let phone = filter.phone {
            condition = "\(condition) AND account.phone = \(phone.value)"
        }
        if let email = filter.email {
            condition = "\(condition) AND lower(account.email) = lower(\(email.value))"
        }
        return condition
    }
}
