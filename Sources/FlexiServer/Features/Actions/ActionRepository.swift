import PGClient

/// What accounts can be made to do by DTMF.
struct ActionRepository: Sendable {
    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    func list(of account: Account.ID, in scope: DomainScope) async throws -> [Account.Action] {
        try await self.db.query(
            """
            SELECT action.id, action.key, action.code
            FROM flexi.account_actions AS action JOIN flexi.domains AS domain ON domain.id = action.domain_id
            WHERE action.account_id = \(account) AND \(scope.condition)
            ORDER BY action.id
            """
        ).map(Account.Action.init)
    }

    func find(_ id: Int64, of account: Account.ID, in scope: DomainScope) async throws -> Account.Action? {
        try await self.db.query(
            """
            SELECT action.id, action.key, action.code
            FROM flexi.account_actions AS action JOIN flexi.domains AS domain ON domain.id = action.domain_id
            WHERE action.id = \(id) AND action.account_id = \(account) AND \(scope.condition)
            """
        ).first.map(Account.Action.init)
    }

    /// `nil` when the account is not in `scope`.
    func insert(_ new: ActionInput, for account: Account.ID, in scope: DomainScope) async throws -> Account.Action? {
        try await self.db.query(
            """
            INSERT INTO flexi.account_actions (domain_id, account_id, key, code)
            SELECT account.domain_id, account.id, \(new.key), \(new.code)
            FROM flexi.accounts AS account JOIN flexi.domains AS domain ON domain.id = account.domain_id
            WHERE account.id = \(account) AND \(scope.condition)
            RETURNING id, key, code
            """
        ).first.map(Account.Action.init)
    }

    /// `nil` when the account has no such action, or is not in `scope`.
    func update(
        _ id: Int64, to new: ActionInput, of account: Account.ID, in scope: DomainScope
    ) async throws -> Account.Action? {
        try await self.db.query(
            """
            UPDATE flexi.account_actions AS action SET key = \(new.key), code = \(new.code)
            FROM flexi.domains AS domain
            WHERE action.id = \(id) AND action.account_id = \(account) AND domain.id = action.domain_id
                AND \(scope.condition)
            RETURNING action.id, action.key, action.code
            """
        ).first.map(Account.Action.init)
    }

    /// `false` when the account has no such action, or is not in `scope`.
    func remove(_ id: Int64, of account: Account.ID, in scope: DomainScope) async throws -> Bool {
        try await self.db.execute(
            """
            DELETE FROM flexi.account_actions AS action USING flexi.domains AS domain
            WHERE action.id = \(id) AND action.account_id = \(account) AND domain.id = action.domain_id
                AND \(scope.condition)
            """
        ) == 1
    }
}

extension Account.Action {
    init(_ row: PGRow) throws {
        let (id, key, code) = try row.decode((Int64, String, String).self)
        self.init(id: id, key: key, code: code)
    }
}
