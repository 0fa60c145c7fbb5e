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

    /// The ids of a page of a list of so many accounts, in their order.
    func ids(
        _ filter: AccountFilter, in scope: DomainScope, page: Int, size: Int, of total: Int
    ) async throws -> [Account.ID] {
        let offset = (page - 1) * size
        guard offset < total else { return [] }
        let rest = total - offset
        // Rows before the page are counted off, so it is looked for from the nearer end.
        guard rest < offset else {
            return try await self.ids(Self.ids(filter, in: scope, size: size, offset: offset))
        }
        let count = min(size, rest)
        return try await self.ids(Self.ids(filter, in: scope, size: count, offset: rest - count, fromEnd: true))
            .reversed()
    }

    /// The least ids above one, in their order.
    func ids(
        _ filter: AccountFilter, in scope: DomainScope, after last: Account.ID, size: Int
    ) async throws -> [Account.ID] {
        try await self.ids(Self.ids(filter, in: scope, after: last, size: size))
    }

    private func ids(_ query: PGQuery) async throws -> [Account.ID] {
        try await self.db.query(query).map { try $0.decode(Account.ID.self) }
    }

    static func count(_ filter: AccountFilter, in scope: DomainScope) -> PGQuery {
        "SELECT count(*) FROM flexi.accounts AS account WHERE \(Self.condition(filter, scope))"
    }

    static func ids(
        _ filter: AccountFilter, in scope: DomainScope, size: Int, offset: Int, fromEnd: Bool = false
    ) -> PGQuery {
        let direction: PGQuery = fromEnd ? "DESC" : "ASC"
        return """
            SELECT account.id FROM flexi.accounts AS account WHERE \(Self.condition(filter, scope))
            ORDER BY account.id \(direction) LIMIT \(size) OFFSET \(offset)
            """
    }

    static func ids(_ filter: AccountFilter, in scope: DomainScope, after last: Account.ID, size: Int) -> PGQuery {
        """
        SELECT account.id FROM flexi.accounts AS account WHERE \(Self.condition(filter, scope)) AND account.id > \(last)
        ORDER BY account.id LIMIT \(size)
        """
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
