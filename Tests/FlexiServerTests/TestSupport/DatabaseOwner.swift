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
}
