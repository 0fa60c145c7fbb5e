import Logging
import PGClient
import PGTesting

/// Holds every query for accounts back until it is opened, so that a test can act while a request is under way.
struct DatabaseGate: Sendable {
    private let client: PGClient
    private let opened: AsyncStream<Void>.Continuation
    private let released: AsyncStream<Void>

    /// Locks the table from a connection of its own, and returns once it is locked.
    static func close(_ database: TestDatabase) async throws -> DatabaseGate {
        let client = PGClient(database.configuration, logger: Logger(label: "test"))
        let (locked, lock) = AsyncStream<Void>.makeStream()
        let (open, opened) = AsyncStream<Void>.makeStream()
        let (released, release) = AsyncStream<Void>.makeStream()
        // Ends with `open()`, or with the test's client.
        Task {
            defer {
                lock.finish()
                release.finish()
            }
            try await client.withTransaction { transaction in
                try await transaction.execute("LOCK TABLE flexi.accounts IN ACCESS EXCLUSIVE MODE")
                lock.finish()
                for await _ in open {}
            }
        }
        for await _ in locked {}
        return DatabaseGate(client: client, opened: opened, released: released)
    }

    /// Returns once somebody waits for the lock.
    func waitForCaller() async throws {
        while try await self.client.query(
            "SELECT FROM pg_locks WHERE NOT granted AND relation = 'flexi.accounts'::regclass"
        ).isEmpty {
            await Task.yield()
        }
    }

    func open() async throws {
        self.opened.finish()
        for await _ in self.released {}
    }
}
