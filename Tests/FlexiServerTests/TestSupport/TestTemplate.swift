import Foundation
import Logging
import PGClient
import PGTesting

/// The database that every test's own is a copy of: made once a run, by the real migrations.
actor TestTemplate {
    static let shared = TestTemplate()

    private var making: Task<String, any Error>?

    /// The name of the template, which nobody is connected to.
    func name() async throws -> String {
        let making = self.making ?? Task { try await Self.make() }
        self.making = making
        return try await making.value
    }

    private static func make() async throws -> String {
        let database = try await TestDatabase.create(prefix: "template")
        try await self.dropAbandoned(but: database)
        try await Migrations.apply(to: database)
        return database.name
    }

    /// Templates of runs that have ended: nothing could remove them at their end.
    private static func dropAbandoned(but own: TestDatabase) async throws {
        try await PGConnection.withConnection(own.configuration, logger: Logger(label: "test")) { connection in
            let names = try await connection.query(
                "SELECT datname::text AS name FROM pg_database WHERE datname LIKE 'template\\_%\\_%'"
            ).map { row in try row.decode("name", as: String.self) }
            for name in names where name != own.name && !self.isRunning(name) {
                _ = try await connection.simpleQuery(unsafeSQL: "DROP DATABASE IF EXISTS \"\(name)\" WITH (FORCE)")
            }
        }
    }

    /// Whether the process whose id stands in the name still is.
    private static func isRunning(_ name: String) -> Bool {
        guard let id = name.split(separator: "_").dropFirst().first.flatMap({ pid_t($0) }) else { return true }
        return kill(id, 0) == 0 || errno == EPERM
    }
}
