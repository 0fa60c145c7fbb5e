import Foundation
import Logging
import Migrator
import PGClient
import PGTesting
import Synchronization
import Testing

/// An empty database for one test, and roles that go with it.
struct Scratch: Sendable {
    let database: TestDatabase
    let connection: PGConnection
    /// May create in the database.
    let owner: String
    let app: String

    static func with(_ body: (Scratch) async throws -> Void) async throws {
        let database = try await TestDatabase.create(prefix: "mig")
        do {
            var configuration = database.configuration
            configuration.connectTimeout = .seconds(60)
            try await PGConnection.withConnection(configuration, logger: Self.logger) { connection in
                let scratch = Scratch(
                    database: database, connection: connection, owner: database.name + "_owner",
                    app: database.name + "_app")
                try await connection.simpleQuery(
                    unsafeSQL: """
                        CREATE ROLE "\(scratch.owner)";
                        CREATE ROLE "\(scratch.app)";
                        GRANT CREATE ON DATABASE "\(database.name)" TO "\(scratch.owner)";
                        """)
                let outcome: Result<Void, any Error>
                do { outcome = .success(try await body(scratch)) } catch { outcome = .failure(error) }
                // The roles cannot go while the database has things of theirs.
                try await connection.simpleQuery(unsafeSQL: "DROP OWNED BY \"\(scratch.owner)\" CASCADE")
                try await connection.simpleQuery(unsafeSQL: "DROP OWNED BY \"\(scratch.app)\" CASCADE")
                try await connection.simpleQuery(unsafeSQL: "DROP ROLE \"\(scratch.owner)\", \"\(scratch.app)\"")
                try outcome.get()
            }
        } catch {
            try? await database.drop()
            throw error
        }
        try await database.drop()
    }

    static var logger: Logger { Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() } }

    func migrator(
        options: MigratorOptions = MigratorOptions(), report: @escaping @Sendable (MigrationEvent) -> Void = { _ in }
    ) -> Migrator {
        Migrator(self.database.configuration, options: options, logger: Self.logger, report: report)
    }

    @discardableResult
    func up(_ files: [MigrationFile], options: MigratorOptions = MigratorOptions()) async throws -> [String] {
        try await self.migrator(options: options).up(files).map(\.fileName)
    }

    /// Lets a role log in; what is added to a connection string to do so.
    func login(as role: String) async throws -> String {
        try await self.connection.simpleQuery(unsafeSQL: "ALTER ROLE \"\(role)\" LOGIN PASSWORD 'for tests'")
        return " user='\(role)' password='for tests'"
    }

    /// Lets `app` log in as one that has the rights of a role only while it acts as it; what is added to a connection string to do so.
    func login(mayBecome role: String) async throws -> String {
        try await self.connection.simpleQuery(
            unsafeSQL: "ALTER ROLE \"\(self.app)\" NOINHERIT; GRANT \"\(role)\" TO \"\(self.app)\"")
        return try await self.login(as: self.app)
    }

    /// Lets `app` log in as one that acts as a role from the beginning; what is added to a connection string to do so.
    func login(withRole role: String) async throws -> String {
        try await self.connection.simpleQuery(
            unsafeSQL: "GRANT \"\(role)\" TO \"\(self.app)\"; ALTER ROLE \"\(self.app)\" SET role = '\(role)'")
        return try await self.login(as: self.app)
    }

    /// The first column of a query's rows, as text.
    func values(_ sql: String) async throws -> [String?] {
        try await self.connection.query(PGQuery(unsafeSQL: "SELECT t::text FROM (\(sql)) AS q (t)")).map {
            try $0.decode("t")
        }
    }

    /// Whether each index of the name is valid.
    func validity(of index: String) async throws -> [String?] {
        try await self.values(
            "SELECT indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname = '\(index)'")
    }

    /// Runs `body` while another session has a snapshot that does not end before `body` says so.
    func withReader(_ body: (PGConnection) async throws -> Void) async throws {
        try await PGConnection.withConnection(self.database.configuration, logger: Self.logger) { reader in
            try await reader.simpleQuery(
                unsafeSQL: "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")
            try await body(reader)
        }
    }

    /// Waits until some session of the database runs `pg_sleep`.
    func waitForSleep() async throws {
        try await self.waitUntil(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep')"
        )
    }

    /// Waits until a query returns true.
    func waitUntil(_ condition: String) async throws {
        while try await self.values(condition).first != "true" {
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}

func migration(_ fileName: String, _ sql: String) throws -> MigrationFile {
    try #require(try MigrationFile(fileName: fileName, bytes: Array(sql.utf8)))
}

extension LedgerEntry {
    /// What the ledger holds of a file that was applied.
    init(_ file: MigrationFile) {
        let time = Date(timeIntervalSince1970: 0)
        self.init(
            version: file.version, slug: file.slug, sha256: file.sha256, rawSHA256: file.rawSHA256, startedAt: time,
            finishedAt: time)
    }
}
