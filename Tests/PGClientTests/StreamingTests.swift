import PGClient
import PGTesting
import Testing

@Suite struct StreamingTests {
    @Test func rowsArriveInOrderAndAllOfThem() async throws {
        try await withClient({ $0.statementTimeout = .seconds(600) }) { client in
            let (count, sum) = try await client.withRows(of: "SELECT i FROM generate_series(1, \(50_000)) AS i") {
                rows in
                var (count, sum) = (0, 0)
                for try await row in rows {
                    count += 1
                    sum += try row.decode("i", as: Int.self)
                }
                return (count, sum)
            }
            #expect(count == 50_000 && sum == 50_000 * 50_001 / 2)
            #expect(client.statistics.connectionsLost == 0)
        }
    }

    @Test func anEmptyResultEndsAtOnce() async throws {
        try await withClient { client in
            try await client.withRows(of: "SELECT 1 WHERE false") { rows in
                for try await _ in rows { Issue.record("no row was expected") }
            }
        }
    }

    /// The server has sent rows when it finds out.
    @Test func aLateErrorEndsTheStreamByThrowing() async throws {
        try await withClient { client in
            var seen = 0
            let error = await #expect(throws: PGError.self) {
                try await client.withRows(of: "SELECT 1 / (30000 - i) FROM generate_series(1, 40000) AS i") { rows in
                    for try await _ in rows { seen += 1 }
                }
            }
            #expect(error?.sqlState == "22012")
            #expect(seen == 29_999)
            try await client.query("SELECT 1")
            #expect(client.statistics.connectionsLost == 0)
        }
    }

    @Test func theServerWaitsForASlowReader() async throws {
        try await withClient({ $0.statementTimeout = .seconds(600) }) { client in
            // 200 MB in all: far more than may wait on the way.
            let query: PGQuery = "SELECT repeat('x', 10000) FROM generate_series(1, 20000)"
            let before = try residentMegabytes()
            let count = try await client.withRows(of: query) { rows in
                var iterator = rows.makeAsyncIterator()
                _ = try await iterator.next()
                try await eventually("the server waits for its client to read") {
                    try await !client.query(
                        "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'ClientWrite' AND datname = current_database()"
                    ).isEmpty
                }
                var count = 1
                while try await iterator.next() != nil { count += 1 }
                return count
            }
            #expect(count == 20_000)
            #expect(try residentMegabytes() - before < 100)
        }
    }

    @Test func leavingEarlyStopsTheStatementAndKeepsTheConnection() async throws {
        // After the usual budget a busy server would have lost the connection.
        try await withClient({ ($0.pool.maximum, $0.cancelBudget) = (1, .seconds(60)) }) { client in
            try await client.withRows(of: "SELECT generate_series(1, 1000000000)") { rows in
                for try await _ in rows { break }
            }
            try await client.query("SELECT 1")
            #expect(client.statistics.connectionsMade == 1)
        }
    }

    @Test func leavingEarlyInATransactionKeepsTheTransaction() async throws {
        try await withClient { client in
            try await client.execute("CREATE TABLE t(x int)")
            try await client.withTransaction { transaction in
                try await transaction.execute("INSERT INTO t VALUES (1)")
                try await transaction.withRows(of: "SELECT repeat('x', 1000) FROM generate_series(1, 20000)") { rows in
                    for try await _ in rows { break }
                }
                try await transaction.execute("INSERT INTO t VALUES (2)")
            }
            #expect(try await client.query("SELECT x FROM t").count == 2)
        }
    }

    @Test func theErrorOfTheReaderIsTheOneThatIsThrown() async throws {
        struct Stop: Error {}
        try await withClient({ $0.pool.maximum = 1 }) { client in
            await #expect(throws: Stop.self) {
                try await client.withRows(of: "SELECT generate_series(1, 100000000), pg_sleep(0.0001)") { rows in
                    for try await _ in rows { throw Stop() }
                }
            }
            try await client.query("SELECT 1")
        }
    }

    @Test func aCancelledReaderIsResumedAndItsStatementStopped() async throws {
        try await withClient { client in
            try await withThrowingTaskGroup { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) {
                        try await client.withRows(of: "SELECT 1 UNION ALL SELECT 2 FROM pg_sleep(36)") { rows in
                            for try await _ in rows {}
                        }
                    }
                }
                try await eventually { try await client.isRunning("pg_sleep(36)") }
                group.cancelAll()
                try await group.waitForAll()
            }
            let isStillRunning = try await client.isRunning("pg_sleep(36)")
            #expect(!isStillRunning)
            #expect(client.statistics.connectionsLost == 0)
        }
    }

    @Test func aReaderThatIsHeldBackCanBeCancelled() async throws {
        try await withClient { client in
            let hasRows = Flag()
            try await withThrowingTaskGroup { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) {
                        try await client.withRows(of: "SELECT generate_series(1, 1000000), repeat('x', 10000)") {
                            rows in
                            var iterator = rows.makeAsyncIterator()
                            _ = try await iterator.next()
                            hasRows.set()
                            while !Task.isCancelled { await Task.yield() }
                            while try await iterator.next() != nil {}
                        }
                    }
                }
                try await eventually { hasRows.isSet }
                group.cancelAll()
                try await group.waitForAll()
            }
            try await client.query("SELECT 1")
            #expect(client.statistics.connectionsLost == 0)
        }
    }

    @Test func anotherStatementWhileRowsAreReadIsRefused() async throws {
        try await withConnection { connection in
            try await connection.withRows(of: "SELECT 1") { rows in
                let error = await #expect(throws: PGError.self) { try await connection.query("SELECT 2") }
                #expect(error?.code == .invalidState)
                for try await _ in rows {}
            }
            try await connection.query("SELECT 3")
        }
    }

    @Test func aConnectionThatIsCutEndsTheStreamWithAnError() async throws {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                let client = PGClient(try proxy.configuration(), logger: quietLogger)
                let error = await #expect(throws: PGError.self) {
                    try await client.withRows(of: "SELECT generate_series(1, 100000000), pg_sleep(0.0001)") { rows in
                        for try await _ in rows { proxy.reset() }
                    }
                }
                #expect(error?.code == .connection)
                try await client.query("SELECT 1")
            }
        }
    }
}
