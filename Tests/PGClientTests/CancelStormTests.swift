import PGClient
import PGTesting
import Testing

/// Queries that are cancelled as fast as the machine takes them.
@Suite struct CancelStormTests {
    static let cancels = 1000

    @Test(.timeLimit(.minutes(20)))
    func aStormOfCancellationsHitsNobodyElseAndMakesNoMoreConnectionsThanAllowed() async throws {
        try await withTestDatabase { database in
            var configuration = database.configuration
            configuration.pool.maximum = 8
            configuration.pool.acquireTimeout = .seconds(120)
            configuration.pool.queueLimit = 10_000
            let client = PGClient(configuration, logger: quietLogger)
            let observer = PGClient(database.configuration, logger: quietLogger)
            // The observer itself has three at most.
            let bound = configuration.pool.maximum + configuration.pool.maximumQuarantined + 3
            let (cancelled, served) = (Counter(), Counter())
            try await withThrowingTaskGroup { group in
                let isOver = Flag()
                for _ in 0..<16 {
                    group.addTask {
                        while !isOver.isSet {
                            let isCancelled = await Self.cancelOne(client)
                            cancelled.add(isCancelled ? 1 : 0)
                        }
                    }
                }
                for number in 0..<4 {
                    group.addTask {
                        while !isOver.isSet {
                            // Would throw 57014 if a signal meant for another query hit it.
                            let rows = try await client.query("SELECT \(number) AS n, pg_sleep(0.0002)")
                            #expect(try rows.only?.decode("n") == number)
                            served.add(1)
                        }
                    }
                }
                group.addTask {
                    defer { isOver.set() }
                    var mostConnections = 0
                    while cancelled.value < Self.cancels {
                        let count = try await observer.query(
                            """
                            SELECT count(*) AS n FROM pg_stat_activity
                            WHERE datname = current_database() AND application_name <> 'observer' AND pid <> pg_backend_pid()
                            """
                        ).only?.decode("n", as: Int.self)
                        mostConnections = max(mostConnections, count ?? 0)
                    }
                    #expect(mostConnections <= bound, "\(mostConnections) connections")
                }
                try await group.waitForAll()
            }
            #expect(served.value > 0)
            try await eventually { client.statistics.leased == 0 && client.statistics.quarantined == 0 }
            let running = try await observer.isRunning("pg_sleep(39)")
            #expect(!running)
        }
    }

    /// Whether a query was begun and stopped.
    private static func cancelOne(_ client: PGClient) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            let isRunning = Flag()
            group.addTask {
                do {
                    try await client.withConnection { connection in
                        isRunning.set()
                        try await connection.query("SELECT pg_sleep(39)")
                    }
                    return false
                } catch {
                    return error is CancellationError
                }
            }
            while !isRunning.isSet { await Task.yield() }
            group.cancelAll()
            return await group.next() ?? false
        }
    }
}
