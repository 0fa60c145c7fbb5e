import DigestAuth
import FoundationEssentials
import PGClient

/// Accounts, and the rows that are made with one: password hashes, administrator's rights, activation code, provisioning token.
struct AccountRepository: Sendable {
    /// A name that another account has already; each is what one constraint of the schema means.
    enum Conflict: Error {
        case usernameTaken
        case phoneTaken
    }

    struct StoredPassword: Sendable {
        let algorithm: DigestAlgorithm
        let realm: String
        let ha1: String
    }

    struct SealedSecrets: Sendable {
        let confirmationKey: [UInt8]?
        let provisioningToken: [UInt8]?
    }

    private let db: any PGQuerying
    private let defaultRealm: String?

    /// `defaultRealm` is the realm of domains that have none of their own (`ACCOUNT_REALM`).
    init(_ db: any PGQuerying, defaultRealm: String?) {
        self.db = db
        self.defaultRealm = defaultRealm
    }

    // MARK: Reading

    func find(_ id: Account.ID, in scope: DomainScope) async throws -> Account? {
        try await self.db.query(
            """
            \(self.accounts)
            WHERE account.id = \(id) AND \(scope.condition)
            """
        ).first.map(Account.init)
    }

    func find(_ address: SIPAddress, in scope: DomainScope) async throws -> Account? {
        guard scope.contains(address.domain) else { return nil }
        return try await self.db.query(
            """
            \(self.accounts)
            WHERE account.username = \(address.username) AND domain.name = \(address.domain.value)
            """
        ).first.map(Account.init)
    }

    /// Those of the accounts that are there, by their ids.
    func find(_ ids: [Account.ID], in scope: DomainScope) async throws -> [Account] {
        try await self.db.query(
            """
            \(self.accounts)
            WHERE account.id = ANY(\(ids.map(\.rawValue))) AND \(scope.condition)
            ORDER BY account.id
            """
        ).map(Account.init)
    }

    /// What anybody may know of an account.
    func findInfo(_ address: SIPAddress, in scope: DomainScope) async throws -> AccountInfo? {
        guard scope.contains(address.domain) else { return nil }
        return try await self.db.query(
            """
            SELECT account.activated, coalesce(domain.realm, \(self.defaultRealm)) AS realm
            FROM flexi.accounts AS account JOIN flexi.domains AS domain ON domain.id = account.domain_id
            WHERE account.username = \(address.username) AND domain.name = \(address.domain.value)
            """
        ).first.map { row in
            let (isActivated, realm) = try row.decode((Bool, String?).self)
            return AccountInfo(isActivated: isActivated, realm: realm)
        }
    }

    /// The two secrets that an administrator may read again, as they are stored.
    func findSecrets(of id: Account.ID) async throws -> SealedSecrets? {
        try await self.db.query(
            """
            SELECT
                (SELECT sealed_code FROM flexi.activation_codes WHERE account_id = \(id) AND purpose = 'email'),
                (SELECT sealed_token FROM flexi.provisioning_tokens WHERE account_id = \(id))
            """
        ).first.map { row in
            let (confirmationKey, provisioningToken) = try row.decode(([UInt8]?, [UInt8]?).self)
            return SealedSecrets(confirmationKey: confirmationKey, provisioningToken: provisioningToken)
        }
    }

    /// Whether the name belonged to an account that was deleted.
    func isTombstone(_ username: Username, in domain: RegisteredDomain) async throws -> Bool {
        try await !self.db.query(
            """
            SELECT FROM flexi.account_tombstones
            WHERE domain_id = \(domain.id) AND username = \(username.value)
            """
        ).isEmpty
    }

    private var accounts: PGQuery {
        """
        SELECT account.id, account.username, domain.name AS domain, account.email, account.activated,
            host(account.ip_address) AS ip_address, account.user_agent, account.creation_time, account.display_name,
            account.dtmf_protocol, coalesce(domain.realm, \(self.defaultRealm)) AS realm, account.phone,
            ARRAY(
                SELECT algorithm FROM flexi.passwords WHERE account_id = account.id ORDER BY algorithm
            ) AS algorithms,
            admin.scope AS admin_scope, admin.created_at AS admin_created_at, admin.updated_at AS admin_updated_at,
            change.new_email, change.created_at AS new_email_created_at,
            code.id AS activation_id, code.expires_at AS activation_expires_at, code.created_at AS activation_created_at,
            ARRAY(
                SELECT type_id FROM flexi.account_type_assignments WHERE account_id = account.id ORDER BY type_id
            ) AS type_ids,
            ARRAY(
                SELECT type.key
                FROM flexi.account_type_assignments AS assignment
                JOIN flexi.account_types AS type ON type.id = assignment.type_id
                WHERE assignment.account_id = account.id ORDER BY type.id
            ) AS type_keys,
            CASE WHEN account.dtmf_protocol IS NOT NULL THEN
                ARRAY(SELECT id FROM flexi.account_actions WHERE account_id = account.id ORDER BY id)
            END AS action_ids,
            CASE WHEN account.dtmf_protocol IS NOT NULL THEN
                ARRAY(SELECT key FROM flexi.account_actions WHERE account_id = account.id ORDER BY id)
            END AS action_keys,
            CASE WHEN account.dtmf_protocol IS NOT NULL THEN
                ARRAY(SELECT code FROM flexi.account_actions WHERE account_id = account.id ORDER BY id)
            END AS action_codes
        FROM flexi.accounts AS account
        JOIN flexi.domains AS domain ON domain.id = account.domain_id
        LEFT JOIN flexi.admins AS admin ON admin.account_id = account.id
        LEFT JOIN flexi.email_changes AS change ON change.account_id = account.id
        LEFT JOIN flexi.activation_codes AS code ON code.account_id = account.id AND code.purpose = 'email'
        """
    }

    // MARK: Writing

    /// Inserts the account alone, without password; throws `Conflict` when its name or number is another's.
    func insert(_ new: NewAccount, in domain: RegisteredDomain, at now: Date) async throws -> Account.ID {
        do {
            return try await self.db.query(
                """
                INSERT INTO flexi.accounts (
                    domain_id, username, phone, email, display_name, dtmf_protocol, activated, ip_address, user_agent,
                    language, creation_time
                ) VALUES (
                    \(domain.id), \(new.username.value), \(new.phone?.value), \(new.email?.value), \(new.displayName),
                    \(new.dtmfProtocol?.rawValue), \(new.isActivated), \(new.ipAddress)::inet, \(new.userAgent),
                    \(new.language?.rawValue), \(now)
                ) RETURNING id
                """
            )[0].decode(Account.ID.self)
        } catch let error as PGError where error.violates("accounts_username_domain_id_key") {
            throw Conflict.usernameTaken
        } catch let error as PGError where error.violates("phone_numbers_domain_id_number_key") {
            // A user name that is a number claims it too. The detail ends with the values of the key, whatever the language.
            let isTheName = error.detail?.contains(", \(new.username.value))") ?? (new.phone == nil)
            throw isTheName ? Conflict.usernameTaken : Conflict.phoneTaken
        }
    }

    /// Replaces every password hash of the account.
    func setPassword(_ password: PasswordHashes, of id: Account.ID) async throws {
        try await self.db.execute("DELETE FROM flexi.passwords WHERE account_id = \(id)")
        for hash in password.hashes {
            try await self.db.execute(
                """
                INSERT INTO flexi.passwords (account_id, algorithm, realm, ha1, ha1b, ha1_sha512t256)
                VALUES (\(id), \(hash.algorithm.rawValue), \(password.realm), \(hash.ha1), \(hash.ha1b), \(hash.ha1SHA512T256))
                """
            )
        }
    }

    func activate(_ id: Account.ID) async throws {
        try await self.db.execute("UPDATE flexi.accounts SET activated = true, blocked = false WHERE id = \(id)")
    }

    /// Makes the account an administrator, or widens the reach of one; a super administrator stays one.
    func makeAdmin(_ id: Account.ID, scope: AdminScope, at now: Date) async throws {
        try await self.db.execute(
            """
            INSERT INTO flexi.admins AS admin (account_id, scope, created_at, updated_at)
            VALUES (\(id), \(scope.rawValue), \(now), \(now))
            ON CONFLICT ON CONSTRAINT admins_pkey DO UPDATE SET scope = excluded.scope, updated_at = excluded.updated_at
            WHERE admin.scope <> 'super'
            """
        )
    }

    /// `sealed` is the code for administrators to read again; PINs have none.
    func setActivationCode(
        _ purpose: ActivationCode.Purpose, hash: [UInt8], sealed: [UInt8]?, expiresAt: Date?, of id: Account.ID,
        at now: Date
    ) async throws {
        try await self.db.execute(
            """
            INSERT INTO flexi.activation_codes (account_id, purpose, code_hash, sealed_code, expires_at, created_at)
            VALUES (\(id), \(purpose.rawValue), \(hash), \(sealed), \(expiresAt), \(now))
            ON CONFLICT ON CONSTRAINT activation_codes_account_id_purpose_key DO UPDATE
            SET code_hash = excluded.code_hash, sealed_code = excluded.sealed_code, attempts = 0,
                expires_at = excluded.expires_at, created_at = excluded.created_at
            """
        )
    }

    /// Replaces the provisioning token; the old one is void.
    func setProvisioningToken(hash: [UInt8], sealed: [UInt8], of id: Account.ID, at now: Date) async throws {
        try await self.db.execute(
            """
            INSERT INTO flexi.provisioning_tokens (account_id, token_hash, sealed_token, created_at)
            VALUES (\(id), \(hash), \(sealed), \(now))
            ON CONFLICT ON CONSTRAINT provisioning_tokens_pkey DO UPDATE
            SET token_hash = excluded.token_hash, sealed_token = excluded.sealed_token, created_at = excluded.created_at
            """
        )
    }

    /// The hashes of the account's passwords. The account is locked, so that of two changes the second sees what the first
    /// did; of one that was deleted meanwhile there are none, and it can be given none.
    func lockPasswords(of id: Account.ID) async throws -> [StoredPassword] {
        try await self.db.execute("SELECT FROM flexi.accounts WHERE id = \(id) FOR NO KEY UPDATE")
        return try await self.db.query(
            "SELECT algorithm, realm, ha1 FROM flexi.passwords WHERE account_id = \(id)"
        ).map { row in
            let (algorithm, realm, ha1) = try row.decode((String, String, String).self)
            guard let algorithm = DigestAlgorithm(rawValue: algorithm) else { throw MalformedRow(column: "algorithm") }
            return StoredPassword(algorithm: algorithm, realm: realm, ha1: ha1)
        }
    }

    /// Revokes what a changed password makes void: auth tokens, provisioning token, and the unnamed API key, unless it is
    /// the one that asked for the change.
    func revokeSecretsAfterPasswordChange(of id: Account.ID, except key: APIKeyRecord.ID? = nil) async throws {
        try await self.db.execute("DELETE FROM flexi.auth_tokens WHERE account_id = \(id)")
        try await self.db.execute("DELETE FROM flexi.provisioning_tokens WHERE account_id = \(id)")
        try await self.db.execute(
            "DELETE FROM flexi.api_keys WHERE account_id = \(id) AND name IS NULL AND id IS DISTINCT FROM \(key)")
    }
}

extension Account.ID: PGEncodable, PGDecodable {}

extension Account {
    init(_ row: PGRow) throws {
        guard let domain = try DomainName(row.decode("domain", as: String.self)) else {
            throw MalformedRow(column: "domain")
        }
        self.id = try row.decode("id")
        self.username = try row.decode("username")
        self.domain = domain
        self.email = try row.decode("email")
        self.isActivated = try row.decode("activated")
        self.ipAddress = try row.decode("ip_address")
        self.userAgent = try row.decode("user_agent")
        self.createdAt = try row.decode("creation_time")
        self.displayName = try row.decode("display_name")
        self.dtmfProtocol = try row.decode("dtmf_protocol", as: String?.self).flatMap(DTMFProtocol.init)
        self.realm = try row.decode("realm")
        self.phone = try row.decode("phone")
        self.algorithms = try row.decode("algorithms")
        self.admin = try row.decode("admin_scope", as: String?.self).flatMap(AdminScope.init).map { scope in
            try Admin(
                scope: scope, createdAt: row.decode("admin_created_at"), updatedAt: row.decode("admin_updated_at"))
        }
        self.emailChange = try row.decode("new_email", as: String?.self).map { newEmail in
            try EmailChange(newEmail: newEmail, createdAt: row.decode("new_email_created_at"))
        }
        self.activationExpiration = try row.decode("activation_expires_at", as: Date?.self).map { expiresAt in
            try ActivationExpiration(
                id: row.decode("activation_id"), expiresAt: expiresAt, createdAt: row.decode("activation_created_at"))
        }
        let typeKeys: [String] = try row.decode("type_keys")
        self.types = try Swift.zip(row.decode("type_ids", as: [Int64].self), typeKeys).map(TypeReference.init)
        let actionIDs = try row.decode("action_ids", as: [Int64]?.self) ?? []
        let actionKeys = try row.decode("action_keys", as: [String]?.self) ?? []
        let actionCodes = try row.decode("action_codes", as: [String]?.self) ?? []
        self.actions = actionIDs.indices.map { Action(id: actionIDs[$0], key: actionKeys[$0], code: actionCodes[$0]) }
    }
}
