import Logging
public import PGClient

/// A server on which databases may be made that exist for a moment only.
public struct ScratchServer: Sendable {
    private let configuration: PGConfiguration

    /// Takes the server itself, by any database of it.
    public init(_ configuration: PGConfiguration) {
        var configuration = configuration
        configuration.applicationName = configuration.applicationName ?? "migrate"
        configuration.statementTimeout = nil
        configuration.statementCacheCapacity = 0
        configuration.noticeHandler = { _ in }
        self.configuration = configuration
    }

    /// Runs `body` with an empty database that is like that of `original` in what no migration makes: encoding, locale, who may create
    /// in it, and extensions that others have brought.
    ///
    /// The extensions of the roles `migrating`, which apply files, are left to the files. Throws `MigrationFailure` when the database
    /// cannot be made, or what `body` throws. The database is gone afterwards; when this process is killed it stays, and its comment
    /// says that it may be dropped.
    func withDatabase<R: Sendable>(
        like original: PGConnection, migrating: [String], logger: Logger,
        _ body: (ScratchDatabase) async throws -> R
    ) async throws -> R {
        let name = "migrate_scratch_" + String(UInt64.random(in: 0 ... .max), radix: 36)
        let surroundings = try await Surroundings(original, copy: name, migrating: migrating)
        let cluster = await Self.cluster(of: original)
        try await self.create(name, surroundings, logger)
        let outcome: Result<R, any Error>
        do {
            var configuration = self.configuration
            configuration = try configuration.replacingDatabase(by: name)
            outcome = .success(
                try await PGConnection.withConnection(configuration, logger: logger) { connection in
                    // A role or an extension that is not there matters only if a file needs it, which then says so.
                    for statement in surroundings.statements {
                        _ = try? await connection.simpleQuery(unsafeSQL: statement)
                    }
                    let clusters = [cluster, await Self.cluster(of: connection)]
                    let database = ScratchDatabase(
                        configuration: configuration, connection: connection,
                        sharesCluster: clusters.contains(nil) || clusters[0] == clusters[1])
                    return try await body(database)
                })
        } catch {
            outcome = .failure(error)
        }
        // In a task of its own, so that it happens when this one was cancelled, too.
        await Task { await self.drop(name, logger) }.value
        return try outcome.get()
    }

    /// Its system identifier; nil when the role may not know.
    private static func cluster(of connection: PGConnection) async -> String? {
        try? await connection.value("SELECT system_identifier::text FROM pg_control_system()")
    }

    private func create(_ name: String, _ surroundings: Surroundings, _ logger: Logger) async throws {
        do {
            try await PGConnection.withConnection(self.configuration, logger: logger) { server in
                try await server.simpleQuery(
                    unsafeSQL: "CREATE DATABASE \(name) TEMPLATE template0 \(surroundings.creationOptions)")
                try await server.simpleQuery(
                    unsafeSQL: "COMMENT ON DATABASE \(name) IS 'A scratch database of migrate. It may be dropped.'")
            }
        } catch let error as PGError {
            throw MigrationFailure(
                .failed, "a scratch database cannot be made: \(error.message)",
                hint: "Name a server where it can be made with --scratch-url, or give the role CREATEDB.")
        }
    }

    /// What cannot be dropped stays, and its comment says what it is.
    private func drop(_ name: String, _ logger: Logger) async {
        do {
            try await PGConnection.withConnection(self.configuration, logger: logger) { server in
                _ = try await server.simpleQuery(unsafeSQL: "DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
            }
        } catch {
            logger.warning(
                "a scratch database was left behind", metadata: ["database": "\(name)", "error": "\(error)"])
        }
    }
}

/// What a database has before its first migration.
private struct Surroundings {
    let creationOptions: String
    /// To be run in the copy, one by one.
    let statements: [String]

    init(_ original: PGConnection, copy: String, migrating: [String]) async throws {
        self.creationOptions = try await original.value(
            """
            SELECT format('ENCODING %L LC_COLLATE %L LC_CTYPE %L', pg_encoding_to_char(encoding), datcollate, datctype)
            FROM pg_database WHERE datname = current_database()
            """)
        self.statements = try await original.query(
            """
            SELECT format('GRANT %s ON DATABASE %I TO %s', privilege_type, \(copy)::text,
                CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END) AS statement
            FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba)))
            WHERE datname = current_database()
            UNION ALL
            SELECT format('GRANT %s ON SCHEMA public TO %s', privilege_type,
                CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
            FROM pg_namespace, aclexplode(nspacl)
            WHERE nspname = 'public'
            UNION ALL
            SELECT format('CREATE EXTENSION IF NOT EXISTS %I', extname)
            FROM pg_extension
            WHERE pg_get_userbyid(extowner) <> ALL (\(migrating)::text[])
            """
        ).map { try $0.decode("statement") }
    }
}

extension PGConfiguration {
    fileprivate func replacingDatabase(by name: String) throws -> PGConfiguration {
        var configuration = PGConfiguration(try self.conninfo(replacing: ["dbname": name]))
        configuration.applicationName = self.applicationName
        configuration.statementTimeout = self.statementTimeout
        configuration.statementCacheCapacity = self.statementCacheCapacity
        configuration.noticeHandler = self.noticeHandler
        return configuration
    }
}
