import FoundationEssentials
import PGClient

/// The types of each domain, and which accounts have them.
struct AccountTypeRepository: Sendable {
    enum Conflict: Error {
        case keyTaken
        case alreadyAttached
        case notAttached
    }

    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    // MARK: Types

    func list(in scope: DomainScope) async throws -> [AccountType] {
        try await self.db.query(
            """
            SELECT type.id, type.key, domain.name AS domain
            FROM flexi.account_types AS type JOIN flexi.domains AS domain ON domain.id = type.domain_id
            WHERE \(scope.condition)
            ORDER BY type.id
            """
        ).map(AccountType.init)
    }

    func find(_ id: AccountType.ID, in scope: DomainScope) async throws -> AccountType? {
        try await self.db.query(
            """
            SELECT type.id, type.key, domain.name AS domain
            FROM flexi.account_types AS type JOIN flexi.domains AS domain ON domain.id = type.domain_id
            WHERE type.id = \(id) AND \(scope.condition)
            """
        ).first.map(AccountType.init)
    }

    /// Throws `Conflict.keyTaken` when the domain has such a type.
    func insert(_ key: String, in domain: RegisteredDomain) async throws -> AccountType {
        try await self.translatingKey {
            let row = try await self.db.query(
                "INSERT INTO flexi.account_types (domain_id, key) VALUES (\(domain.id), \(key)) RETURNING id"
            )[0]
            return try AccountType(id: row.decode("id"), key: key, domain: domain.name)
        }
    }

    /// Gives the type another key; `nil` when it is not in `scope`. Throws `Conflict.keyTaken` when its domain has such a type.
    func rename(_ id: AccountType.ID, to key: String, in scope: DomainScope) async throws -> AccountType? {
        try await self.translatingKey {
            try await self.db.query(
                """
                UPDATE flexi.account_types AS type SET key = \(key)
                FROM flexi.domains AS domain
                WHERE type.id = \(id) AND domain.id = type.domain_id AND \(scope.condition)
                RETURNING type.id, type.key, domain.name AS domain
                """
            ).first.map(AccountType.init)
        }
    }

    /// Removes the type, and takes it from every account that has it; `false` when it is not in `scope`.
    func remove(_ id: AccountType.ID, in scope: DomainScope) async throws -> Bool {
        try await self.db.execute(
            """
            DELETE FROM flexi.account_types AS type USING flexi.domains AS domain
            WHERE type.id = \(id) AND domain.id = type.domain_id AND \(scope.condition)
            """
        ) == 1
    }

    private func translatingKey<Result>(_ write: () async throws -> Result) async throws -> Result {
        do {
            return try await write()
        } catch let error as PGError where error.violates("account_types_domain_id_key_key") {
            throw Conflict.keyTaken
        }
    }

    // MARK: Types of an account

    /// Gives the type to the account; `false` when one of them is not in `scope`, or the type belongs to another domain.
    ///
    /// Throws `Conflict.alreadyAttached` when the account has it.
    func attach(
        _ type: AccountType.ID, to account: Account.ID, in scope: DomainScope, at now: Date
    ) async throws -> Bool {
        do {
            return try await self.db.execute(
                """
                INSERT INTO flexi.account_type_assignments (domain_id, account_id, type_id, created_at)
                SELECT account.domain_id, account.id, type.id, \(now)
                \(self.pair(type, account, in: scope))
                """
            ) == 1
        } catch let error as PGError where error.violates("account_type_assignments_account_id_type_id_key") {
            throw Conflict.alreadyAttached
        }
    }

    /// Takes the type from the account; `false` when one of them is not in `scope`, or the type belongs to another domain.
    ///
    /// Throws `Conflict.notAttached` when the account does not have it.
    func detach(_ type: AccountType.ID, from account: Account.ID, in scope: DomainScope) async throws -> Bool {
        let rows = try await self.db.query(
            """
            WITH pair AS (
                SELECT account.id AS account_id, type.id AS type_id
                \(self.pair(type, account, in: scope))
            ), removed AS (
                DELETE FROM flexi.account_type_assignments AS assignment USING pair
                WHERE assignment.account_id = pair.account_id AND assignment.type_id = pair.type_id
                RETURNING assignment.type_id
            )
            SELECT EXISTS (SELECT FROM removed) AS removed FROM pair
            """
        )
        guard let row = rows.first else { return false }
        guard try row.decode("removed", as: Bool.self) else { throw Conflict.notAttached }
        return true
    }

    /// The account and the type, where both are of one domain in `scope`.
    private func pair(_ type: AccountType.ID, _ account: Account.ID, in scope: DomainScope) -> PGQuery {
        """
        FROM flexi.accounts AS account
        JOIN flexi.domains AS domain ON domain.id = account.domain_id
        JOIN flexi.account_types AS type ON type.domain_id = account.domain_id
        WHERE account.id = \(account) AND type.id = \(type) AND \(scope.condition)
        """
    }
}

extension AccountType.ID: PGEncodable, PGDecodable {}

extension AccountType {
    init(_ row: PGRow) throws {
        guard let domain = try DomainName(row.decode("domain", as: String.self)) else {
            throw MalformedRow(column: "domain")
        }
        self.id = try row.decode("id")
        self.key = try row.decode("key")
        self.domain = domain
    }
}
