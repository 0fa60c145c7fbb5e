import PGClient

/// Which domains are served. Not tenant data itself: whoever asks names the one domain.
struct DomainRepository: Sendable {
    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    func find(_ name: DomainName) async throws -> RegisteredDomain? {
        try await self.db.query(
            "SELECT id, name, realm, registration_open, suspended FROM flexi.domains WHERE name = \(name.value)"
        ).first.map(RegisteredDomain.init)
    }

    /// Registers the domain unless it is there already, and returns it either way.
    func register(_ name: DomainName) async throws -> RegisteredDomain {
        // The usual case first: an upsert would write, and take a number from the sequence, each time.
        if let known = try await self.find(name) { return known }
        try await self.db.execute(
            "INSERT INTO flexi.domains (name) VALUES (\(name.value)) ON CONFLICT ON CONSTRAINT domains_name_key DO NOTHING"
        )
        guard let domain = try await self.find(name) else { throw DomainRemoved(name: name) }
        return domain
    }

    /// Every domain by name, with the number of its accounts.
    func list() async throws -> [(domain: RegisteredDomain, accounts: Int)] {
        try await self.db.query(
            """
            SELECT id, name, realm, registration_open, suspended,
                (SELECT count(*) FROM flexi.accounts AS account WHERE account.domain_id = domain.id) AS accounts
            FROM flexi.domains AS domain ORDER BY name
            """
        ).map { row in try (RegisteredDomain(row), row.decode("accounts")) }
    }

    /// Returns `false` when the domain is not registered.
    func setSuspended(_ isSuspended: Bool, _ name: DomainName) async throws -> Bool {
        try await !self.db.query(
            "UPDATE flexi.domains SET suspended = \(isSuspended) WHERE name = \(name.value) RETURNING id"
        ).isEmpty
    }

    /// Returns `false` when the domain is not registered.
    func setRegistrationOpen(_ isOpen: Bool, _ name: DomainName) async throws -> Bool {
        try await !self.db.query(
            "UPDATE flexi.domains SET registration_open = \(isOpen) WHERE name = \(name.value) RETURNING id"
        ).isEmpty
    }

    struct HasAccounts: Error {}

    /// Returns `false` when the domain is not registered; throws `HasAccounts`, with nothing changed, when it has some.
    func remove(_ name: DomainName) async throws -> Bool {
        do {
            return try await !self.db.query("DELETE FROM flexi.domains WHERE name = \(name.value) RETURNING id").isEmpty
        } catch let error as PGError where error.violates("accounts_domain_id_fkey") {
            throw HasAccounts()
        }
    }

    /// How many password hashes were made with another realm than the one their domain has now, so that they open nothing.
    func countHashesOfOtherRealms(default realm: String?) async throws -> Int64 {
        try await self.db.query(
            """
            SELECT count(*) FROM flexi.passwords AS password
            JOIN flexi.accounts AS account ON account.id = password.account_id
            JOIN flexi.domains AS domain ON domain.id = account.domain_id
            WHERE password.realm <> coalesce(domain.realm, \(realm), domain.name)
            """
        )[0].decode(Int64.self)
    }
}

/// Somebody removed the domain in the moment it was registered.
struct DomainRemoved: Error {
    let name: DomainName
}

extension DomainScope {
    /// The condition that keeps a query inside the scope, for a query that names `flexi.domains` as `domain`.
    var condition: PGQuery {
        switch self {
        case .all: "true"
        case .only(let name): "domain.name = \(name.value)"
        }
    }
}

extension RegisteredDomain.ID: PGEncodable, PGDecodable {}

extension RegisteredDomain {
    init(_ row: PGRow) throws {
        guard let name = try DomainName(row.decode("name", as: String.self)) else { throw MalformedRow(column: "name") }
        self.id = try row.decode("id")
        self.name = name
        self.realm = try row.decode("realm")
        self.isRegistrationOpen = try row.decode("registration_open")
        self.isSuspended = try row.decode("suspended")
    }
}
