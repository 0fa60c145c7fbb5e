import Logging
import PGClient
import PGTesting

/// Holds every query for accounts back while a test does something, so that a request is under way meanwhile.
struct DatabaseGate: Sendable {
    private let client: PGClient

    /// Locks the table for the length of `body`.
    static func withAccountsLocked(
        in database: TestDatabase, _ body: (DatabaseGate) async throws -> Void
    ) async throws {
        let client = PGClient(database.configuration, logger: Logger(label: "test"))
        try await client.withTransaction { transaction in
            try await transaction.execute("LOCK TABLE flexi.accounts IN ACCESS EXCLUSIVE MODE")
            try await body(DatabaseGate(client: client))
        }
    }

    /// Returns once a statement with this text waits for the table. A server has others of its own that do.
    func waitForStatement(with text: String) async throws {
        while try await self.client.query(
            """
            SELECT FROM pg_locks AS lock JOIN pg_stat_activity AS session ON session.pid = lock.pid
            WHERE NOT lock.granted AND lock.relation = 'flexi.accounts'::regclass AND strpos(session.query, \(text)) > 0
            """
        ).isEmpty {
            await Task.yield()
        }
    }
}
