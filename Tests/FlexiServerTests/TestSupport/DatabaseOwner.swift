import Logging
import PGClient
import PGTesting

/// The owner of a test's database, for what the server itself may not do.
struct DatabaseOwner: Sendable {
    private let database: TestDatabase

    init(_ database: TestDatabase) {
        self.database = database
    }

    func run(_ sql: String) async throws {
        try await PGConnection.withConnection(self.database.configuration, logger: Logger(label: "test")) {
            connection in
            _ = try await connection.simpleQuery(unsafeSQL: sql)
        }
    }

    /// Vacuums and analyses a table of `flexi` until all its pages are visible: PostgreSQL's own analysis of new rows, when it runs beside
    /// this, keeps them from that.
    func vacuum(_ table: String) async throws {
        try await PGConnection.withConnection(self.database.configuration, logger: Logger(label: "test")) {
            connection in
            repeat {
                _ = try await connection.simpleQuery(unsafeSQL: "VACUUM ANALYZE flexi.\(table)")
            } while try await !connection.query(
                """
                SELECT FROM pg_class
                WHERE relnamespace = 'flexi'::regnamespace AND relname = \(table) AND relallvisible < relpages
                """
            ).isEmpty
        }
    }
}
