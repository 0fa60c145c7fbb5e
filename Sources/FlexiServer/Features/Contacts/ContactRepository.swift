import FoundationEssentials
import PGClient

/// Who is in whose contact list.
struct ContactRepository: Sendable {
    enum Conflict: Error {
        case alreadyAttached
        case notAttached
    }

    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    /// The account's contacts in the order in which their accounts were made; `scope` limits the contacts, not the account.
    func list(of account: Account.ID, in scope: DomainScope) async throws -> [Contact] {
        try await self.db.query(
            """
            \(self.contacts(of: account, in: scope))
            ORDER BY contact.id
            """
        ).map(Contact.init)
    }

    func find(_ contact: Account.ID, of account: Account.ID, in scope: DomainScope) async throws -> Contact? {
        try await self.db.query(
            """
            \(self.contacts(of: account, in: scope))
            AND contact.id = \(contact)
            """
        ).first.map(Contact.init)
    }

    func find(_ address: SIPAddress, of account: Account.ID, in scope: DomainScope) async throws -> Contact? {
        guard scope.contains(address.domain) else { return nil }
        return try await self.db.query(
            """
            \(self.contacts(of: account, in: scope))
            AND contact.username = \(address.username) AND domain.name = \(address.domain.value)
            """
        ).first.map(Contact.init)
    }

    private func contacts(of account: Account.ID, in scope: DomainScope) -> PGQuery {
        """
        SELECT contact.id, contact.username, domain.name AS domain, contact.activated, contact.display_name,
            contact.dtmf_protocol, type.ids AS type_ids, type.keys AS type_keys,
            action.ids AS action_ids, action.keys AS action_keys, action.codes AS action_codes
        FROM flexi.contacts AS entry
        JOIN flexi.accounts AS contact ON contact.id = entry.contact_id
        JOIN flexi.domains AS domain ON domain.id = contact.domain_id
        LEFT JOIN LATERAL (
            SELECT array_agg(type.id ORDER BY type.id) AS ids, array_agg(type.key ORDER BY type.id) AS keys
            FROM flexi.account_type_assignments AS assignment
            JOIN flexi.account_types AS type ON type.id = assignment.type_id
            WHERE assignment.account_id = contact.id
        ) AS type ON true
        LEFT JOIN LATERAL (
            SELECT array_agg(id ORDER BY id) AS ids, array_agg(key ORDER BY id) AS keys,
                array_agg(code ORDER BY id) AS codes
            FROM flexi.account_actions
            WHERE account_id = contact.id AND contact.dtmf_protocol IS NOT NULL
        ) AS action ON true
        WHERE entry.account_id = \(account) AND \(scope.condition)
        """
    }

    /// Puts the contact on the account's list; `false` when one of the two is not in `scope`.
    ///
    /// Throws `Conflict.alreadyAttached` when it is on the list already.
    func attach(
        _ contact: Account.ID, to account: Account.ID, in scope: DomainScope, at now: Date
    ) async throws -> Bool {
        do {
            return try await self.db.execute(
                """
                INSERT INTO flexi.contacts (domain_id, account_id, contact_id, created_at)
                SELECT owner.domain_id, owner.id, contact.id, \(now)
                \(self.pair(contact, account, in: scope))
                """
            ) == 1
        } catch let error as PGError where error.violates("contacts_account_id_contact_id_key") {
            throw Conflict.alreadyAttached
        }
    }

    /// Takes the contact off the account's list; `false` when one of the two is not in `scope`.
    ///
    /// Throws `Conflict.notAttached` when it was not on the list.
    func detach(_ contact: Account.ID, from account: Account.ID, in scope: DomainScope) async throws -> Bool {
        let rows = try await self.db.query(
            """
            WITH pair AS (
                SELECT owner.id AS account_id, contact.id AS contact_id
                \(self.pair(contact, account, in: scope))
            ), removed AS (
                DELETE FROM flexi.contacts AS entry USING pair
                WHERE entry.account_id = pair.account_id AND entry.contact_id = pair.contact_id
                RETURNING entry.contact_id
            )
            SELECT EXISTS (SELECT FROM removed) AS removed FROM pair
            """
        )
        guard let row = rows.first else { return false }
        guard try row.decode("removed", as: Bool.self) else { throw Conflict.notAttached }
        return true
    }

    /// The account and the contact, where both are in `scope`.
    private func pair(_ contact: Account.ID, _ account: Account.ID, in scope: DomainScope) -> PGQuery {
        """
        FROM flexi.accounts AS owner, flexi.accounts AS contact
        WHERE owner.id = \(account) AND contact.id = \(contact)
            AND owner.domain_id IN (SELECT domain.id FROM flexi.domains AS domain WHERE \(scope.condition))
            AND contact.domain_id IN (SELECT domain.id FROM flexi.domains AS domain WHERE \(scope.condition))
        """
    }
}

extension Contact {
    init(_ row: PGRow) throws {
        guard let domain = try DomainName(row.decode("domain", as: String.self)) else {
            throw MalformedRow(column: "domain")
        }
        self.id = try row.decode("id")
        self.username = try row.decode("username")
        self.domain = domain
        self.isActivated = try row.decode("activated")
        self.displayName = try row.decode("display_name")
        self.dtmfProtocol = try row.decode("dtmf_protocol", as: String?.self).flatMap(DTMFProtocol.init)
        let typeIDs = try row.decode("type_ids", as: [Int64]?.self) ?? []
        let typeKeys = try row.decode("type_keys", as: [String]?.self) ?? []
        self.types = zip(typeIDs, typeKeys).map(Account.TypeReference.init)
        let actionIDs = try row.decode("action_ids", as: [Int64]?.self) ?? []
        let actionKeys = try row.decode("action_keys", as: [String]?.self) ?? []
        let actionCodes = try row.decode("action_codes", as: [String]?.self) ?? []
        self.actions = actionIDs.indices.map { index in
            Account.Action(id: actionIDs[index], key: actionKeys[index], code: actionCodes[index])
        }
    }
}
