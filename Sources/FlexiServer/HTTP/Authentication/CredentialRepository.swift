import DigestAuth
import FoundationEssentials
import PGClient

/// What callers prove themselves with: API keys, password hashes, and the counts of digest nonces.
///
/// Its queries find accounts of every domain: who somebody is does not depend on what they may see.
struct CredentialRepository: Sendable {
    /// Whom a `From` header names, as far as the database knows.
    struct Claim: Sendable {
        /// The realm in force for the domain.
        let realm: String
        /// `nil` when there is no such account.
        let identity: AccountIdentity?
        /// Those made with the realm in force; the others open nothing any more.
        let hashes: [DigestAlgorithm: String]
    }

    enum NonceUse: Hashable, Sendable {
        case counted
        case replayed
        /// Issued before the counts that are kept now: it may have been used already.
        case older
    }

    private let db: any PGQuerying
    private let reads: any PGQuerying

    /// Every request begins with a look-up here, so those may be given a way of their own: `reads` is not written to.
    init(_ db: any PGQuerying, reads: (any PGQuerying)? = nil) {
        self.db = db
        self.reads = reads ?? db
    }

    // MARK: API keys

    func findKey(_ hash: [UInt8]) async throws -> APIKeyRecord? {
        try await self.reads.query(
            """
            SELECT key.id AS key_id, key.name IS NOT NULL AS is_named, key.last_used_at, key.expires_at,
                account.id, account.username, account.activated AND NOT domain.suspended AS is_active,
                domain.id AS domain_id, domain.name AS domain, admin.scope AS admin_scope
            FROM flexi.api_keys AS key
            JOIN flexi.accounts AS account ON account.id = key.account_id
            JOIN flexi.domains AS domain ON domain.id = account.domain_id
            LEFT JOIN flexi.admins AS admin ON admin.account_id = account.id
            WHERE key.key_hash = \(hash)
            """
        ).first.map(APIKeyRecord.init)
    }

    func updateLastUse(of key: APIKeyRecord.ID, at now: Date) async throws {
        try await self.db.execute(
            "UPDATE flexi.api_keys SET last_used_at = \(now) WHERE id = \(key) AND last_used_at < \(now)"
        )
    }

    // MARK: Passwords

    /// `defaultRealm` is the realm of domains that have none of their own (`ACCOUNT_REALM`).
    func findClaim(_ address: SIPAddress, defaultRealm: String?) async throws -> Claim {
        let row = try await self.reads.query(
            """
            SELECT account.id, account.username, account.activated AND NOT domain.suspended AS is_active,
                domain.id AS domain_id, domain.name AS domain, admin.scope AS admin_scope, realm.name AS realm,
                ARRAY(
                    SELECT algorithm FROM flexi.passwords
                    WHERE account_id = account.id AND passwords.realm = realm.name ORDER BY algorithm
                ) AS algorithms,
                ARRAY(
                    SELECT ha1 FROM flexi.passwords
                    WHERE account_id = account.id AND passwords.realm = realm.name ORDER BY algorithm
                ) AS hashes
            FROM flexi.domains AS domain
            CROSS JOIN LATERAL (SELECT coalesce(domain.realm, \(defaultRealm), domain.name) AS name) AS realm
            LEFT JOIN flexi.accounts AS account ON account.domain_id = domain.id AND account.username = \(address.username)
            LEFT JOIN flexi.admins AS admin ON admin.account_id = account.id
            WHERE domain.name = \(address.domain.value)
            """
        ).first
        guard let row else { return Claim(realm: defaultRealm ?? address.domain.value, identity: nil, hashes: [:]) }
        let realm: String = try row.decode("realm")
        guard try row.decode("id", as: Account.ID?.self) != nil else {
            return Claim(realm: realm, identity: nil, hashes: [:])
        }
        let algorithms = try row.decode("algorithms", as: [String].self)
        let hashes = try row.decode("hashes", as: [String].self)
        let pairs = zip(algorithms, hashes).compactMap { algorithm, hash in
            DigestAlgorithm(rawValue: algorithm).map { ($0, hash) }
        }
        return try Claim(
            realm: realm, identity: AccountIdentity(row),
            hashes: Dictionary(pairs, uniquingKeysWith: { first, _ in first }))
    }

    // MARK: Nonces

    /// Counts one use of a nonce whose answer was verified, in one statement: of any number of requests with one
    /// count, sent to any number of servers, one is counted.
    ///
    /// Takes a few counters away that no nonce needs any more, so that the table does not grow.
    func count(_ nonce: DigestNonce, _ count: UInt32, expiresAt: Date, at now: Date) async throws -> NonceUse {
        let row = try await self.db.query(
            """
            WITH epoch AS (
                SELECT started_at FROM flexi.digest_epoch
            ), expired AS (
                DELETE FROM flexi.digest_nonces WHERE nonce IN (
                    SELECT nonce FROM flexi.digest_nonces WHERE expires_at < \(now)
                    ORDER BY expires_at LIMIT 4 FOR UPDATE SKIP LOCKED
                )
            ), counted AS (
                INSERT INTO flexi.digest_nonces AS known (nonce, nc, expires_at)
                SELECT \(nonce.id), \(Int64(count)), \(expiresAt) FROM epoch WHERE started_at <= \(nonce.issuedAt)
                ON CONFLICT ON CONSTRAINT digest_nonces_pkey DO UPDATE SET nc = excluded.nc WHERE known.nc < excluded.nc
                RETURNING known.nc
            )
            SELECT EXISTS (SELECT FROM counted) AS is_counted,
                coalesce((SELECT started_at <= \(nonce.issuedAt) FROM epoch), false) AS is_of_this_epoch
            """
        )[0]  // a SELECT without FROM is always one row
        if try row.decode("is_counted", as: Bool.self) { return .counted }
        return try row.decode("is_of_this_epoch", as: Bool.self) ? .replayed : .older
    }

    /// Begins the counting anew unless it has begun: nonces issued before `now` are stale then.
    func startEpoch(at now: Date) async throws {
        try await self.db.execute(
            "INSERT INTO flexi.digest_epoch (started_at) VALUES (\(now)) ON CONFLICT ON CONSTRAINT digest_epoch_pkey DO NOTHING"
        )
    }
}

extension APIKeyRecord.ID: PGEncodable, PGDecodable {}

extension APIKeyRecord {
    fileprivate init(_ row: PGRow) throws {
        self.id = try row.decode("key_id")
        self.isNamed = try row.decode("is_named")
        self.lastUsedAt = try row.decode("last_used_at")
        self.expiresAt = try row.decode("expires_at")
        self.owner = try AccountIdentity(row)
    }
}

extension AccountIdentity {
    fileprivate init(_ row: PGRow) throws {
        guard let domain = try DomainName(row.decode("domain", as: String.self)) else {
            throw MalformedRow(column: "domain")
        }
        self.id = try row.decode("id")
        self.username = try row.decode("username")
        self.domainID = try row.decode("domain_id")
        self.domain = domain
        self.adminScope = try row.decode("admin_scope", as: String?.self).flatMap(AdminScope.init)
        self.isActive = try row.decode("is_active")
    }
}
