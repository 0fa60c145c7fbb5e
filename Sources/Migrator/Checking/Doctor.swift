import PGClient

/// Something that a DBA wants to know before a migration.
public struct Finding: Sendable, Hashable {
    public enum Level: String, Sendable {
        case fine
        /// Worth a look; migrations work.
        case note
        /// Migrations will not work, or not as they should.
        case problem
    }

    /// A constant word for programs.
    public let name: String
    public let level: Level
    public let message: String
    /// SQL, or what else helps.
    public let remedy: String?

    init(_ name: String, _ level: Level, _ message: String, remedy: String? = nil) {
        self.name = name
        self.level = level
        self.message = message
        self.remedy = remedy
    }
}

extension Migrator {
    /// Looks for what stands in the way of migrations: the connection, the server, the roles, the ledger, old transactions. Reads only,
    /// takes no lock. Throws `MigrationFailure` when there is no connection.
    public func examine() async throws -> [Finding] {
        try await self.withConnection(isPrepared: false) { connection in
            guard try await self.isDirect(connection) else {
                return [
                    Finding(
                        "connection", .problem, "there is a pooler between migrate and the server",
                        remedy: "Name the server itself in MIGRATE_DATABASE_URL.")
                ]
            }
            let doctor = Doctor(connection: connection, role: self.options.role)
            let roles = try await doctor.roles()
            // What the ledger says can only be read as its owner.
            if let role = self.options.role, !roles.contains(where: { $0.level == .problem }) {
                try await connection.query("SELECT pg_catalog.set_config('role', \(role), false)")
            }
            return try await doctor.server() + roles + doctor.ledger() + doctor.activity() + doctor.leftovers()
        }
    }
}

private struct Doctor {
    let connection: PGConnection
    let role: String?

    func server() async throws -> [Finding] {
        let row = try await self.connection.query(
            """
            SELECT pg_is_in_recovery() AS is_standby, current_setting('server_version') AS version, current_database()::text AS name,
                pg_encoding_to_char(encoding)::text AS encoding, pg_size_pretty(pg_database_size(datname)) AS size,
                current_setting('default_transaction_read_only') = 'on' AS is_read_only
            FROM pg_database WHERE datname = current_database()
            """
        )[0]  // the database that this session is connected to is there
        let version: String = try row.decode("version")
        var findings = [
            Finding(
                "server", .fine,
                "PostgreSQL \(version), database \(try row.decode("name", as: String.self)), \(try row.decode("size", as: String.self))"
            )
        ]
        if self.connection.serverVersion < 130_000 {
            findings.append(Finding("version", .problem, "PostgreSQL 13 is the oldest that migrate works with"))
        } else if self.connection.serverVersion < 140_000 {
            findings.append(
                Finding(
                    "version", .note,
                    "before PostgreSQL 14 a server goes on for a migrate that was killed, until its statement ends"))
        }
        if try row.decode("is_standby") {
            findings.append(
                Finding(
                    "standby", .problem, "this server is a standby, which cannot be changed",
                    remedy: "Name the primary, or name both and add target_session_attrs=primary to the URL."))
        }
        if try row.decode("is_read_only") {
            findings.append(
                Finding(
                    "read-only", .problem, "transactions of this session are read-only",
                    remedy: "ALTER ROLE … or ALTER DATABASE … SET default_transaction_read_only = off;"))
        }
        let encoding: String = try row.decode("encoding")
        if encoding != "UTF8" {
            findings.append(
                Finding(
                    "encoding", .note, "the database is \(encoding): it cannot hold every character that a file can"))
        }
        return findings
    }

    func roles() async throws -> [Finding] {
        let row = try await self.connection.query(
            """
            SELECT session_user::text AS login, login.rolsuper AS is_superuser, pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all,
                owner.rolname::text AS owner, coalesce(login.rolsuper OR pg_has_role(login.oid, owner.oid, 'MEMBER'), false) AS is_member,
                coalesce(has_database_privilege(owner.oid, current_database(), 'CREATE'), false) AS may_create
            FROM pg_roles AS login LEFT JOIN pg_roles AS owner ON owner.rolname = coalesce(\(self.role), current_user)
            WHERE login.rolname = session_user
            """
        )[0]  // whoever is logged in is a role
        let login: String = try row.decode("login")
        guard let owner: String = try row.decode("owner") else {
            let name = (self.role ?? "").quotedAsName
            return [
                Finding("role", .problem, "there is no role \(self.role ?? "")", remedy: "CREATE ROLE \(name) NOLOGIN;")
            ]
        }
        var findings = [Finding("role", .fine, "logged in as \(login), creates as \(owner)")]
        if try !row.decode("is_member", as: Bool.self) {
            findings.append(
                Finding(
                    "role-member", .problem, "\(login) may not act as \(owner)",
                    remedy: "GRANT \(owner.quotedAsName) TO \(login.quotedAsName);"))
        }
        if try !row.decode("may_create", as: Bool.self) {
            let database: String = try await self.connection.value("SELECT current_database()::text")
            findings.append(
                Finding(
                    "role-create", .problem, "\(owner) may not create schemas in this database",
                    remedy: "GRANT CREATE ON DATABASE \(database.quotedAsName) TO \(owner.quotedAsName);"))
        }
        if try row.decode("is_superuser", as: Bool.self), self.role == nil, owner == login {
            findings.append(
                Finding(
                    "superuser", .note, "whatever is created would belong to the superuser \(login)",
                    remedy: "migrate up --role NAME"))
        }
        if try !row.decode("sees_all", as: Bool.self) {
            findings.append(
                Finding(
                    "stats", .note,
                    "\(login) cannot see what sessions of other roles do, so it cannot say much of who is in the way",
                    remedy: "GRANT pg_read_all_stats TO \(login.quotedAsName);"))
        }
        return findings
    }

    func ledger() async throws -> [Finding] {
        let entries: [LedgerEntry]?
        do {
            entries = try await Ledger(self.connection).entries()
        } catch let error as PGError where error.sqlState == "42501" {
            return [
                Finding(
                    "ledger", .problem, "the ledger cannot be read: \(error.message)",
                    remedy: "migrate doctor --role OWNER")
            ]
        }
        guard let entries else { return [Finding("ledger", .fine, "there is no ledger yet: nothing was applied")] }
        let applied = AppliedMigrations(entries)
        let newest = applied.newest.map { "version \($0)" } ?? "no version"
        var findings = [Finding("ledger", .fine, "\(newest) is the newest, of \(applied.versions.count) applied")]
        for entry in applied.unfinished.values {
            findings.append(
                Finding(
                    "half-way", .problem,
                    "\(entry.name) stands after statement \(entry.statementsDone) of \(entry.statementsTotal)",
                    remedy: entry.direction == .up ? "migrate up" : "migrate down"))
        }
        let owner: String = try await self.connection.value(
            "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'migrate.ledger'::regclass")
        let writer: String = try await self.connection.value("SELECT quote_ident(coalesce(\(self.role), current_user))")
        if owner != writer {
            findings.append(
                Finding(
                    "ledger-owner", .problem, "the ledger belongs to \(owner)", remedy: "migrate up --role \(owner)"))
        }
        let others = try await self.connection.query(
            """
            SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS name
            FROM pg_class, aclexplode(relacl)
            WHERE oid = 'migrate.ledger'::regclass AND grantee <> relowner AND privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
            """
        ).map { try $0.decode("name", as: String.self) }
        for name in others {
            findings.append(
                Finding(
                    "ledger-writable", .problem, "\(name) can write the ledger",
                    remedy: "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON migrate.ledger FROM \(name);"))
        }
        return findings
    }

    func activity() async throws -> [Finding] {
        var findings: [Finding] = []
        if let holder = try await RunLock.holder(self.connection) {
            findings.append(Finding("lock", .note, "a run of migrate is at work: \(holder)"))
        }
        let old = try await self.connection.query(
            """
            SELECT pid, coalesce(usename::text, '') AS usename, coalesce(application_name, '') AS application_name,
                extract(epoch FROM clock_timestamp() - xact_start)::float8 AS age
            FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start < clock_timestamp() - interval '1 minute'
            ORDER BY xact_start
            """
        ).map(LockHolder.init)
        for holder in old {
            findings.append(
                Finding(
                    "old-transaction", .note,
                    "a transaction is open, for which CREATE INDEX CONCURRENTLY would wait: \(holder)",
                    remedy: "SELECT pg_terminate_backend(\(holder.pid));"))
        }
        return findings
    }

    func leftovers() async throws -> [Finding] {
        let prepared = try await self.connection.query(
            "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared"
        ).map { row in
            let gid: String = try row.decode("gid")
            return Finding(
                "prepared-transaction", .note, "the prepared transaction \(gid) keeps its locks until somebody ends it",
                remedy: SQLText("ROLLBACK PREPARED \(gid);").text)
        }
        let slots = try await self.connection.query(
            "SELECT slot_name::text AS name FROM pg_replication_slots WHERE NOT active AND (xmin IS NOT NULL OR catalog_xmin IS NOT NULL)"
        ).map { row in
            let name: String = try row.decode("name")
            return Finding(
                "slot", .note,
                "nobody reads from the replication slot \(name), which keeps old rows from being cleared away",
                remedy: SQLText("SELECT pg_drop_replication_slot(\(name));").text)
        }
        let indexes = try await CatalogIndex.invalid(self.connection).map { index in
            Finding(
                "invalid-index", .note,
                index.builder.map { "session \($0) is building the index \(index.name)" }
                    ?? "the index \(index.name) is INVALID: it costs time at every write and is never read",
                remedy: index.builder == nil ? "DROP INDEX CONCURRENTLY \(index.name);" : nil)
        }
        return prepared + slots + indexes
    }
}
