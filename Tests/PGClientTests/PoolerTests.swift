import Logging
import PGClient
import PGTesting
import Testing

/// Behind a pooler that lends its servers by transaction.
@Suite struct PoolerTests {
    private func withPooledClient<R: Sendable>(
        logger: Logger = quietLogger, _ body: (PGClient) async throws -> R
    ) async throws -> R {
        try await withTestDatabase { database in
            try await withTransactionPooler(to: database.configuration) { configuration in
                var configuration = configuration
                configuration.pool.maximum = 6
                return try await body(PGClient(configuration, logger: logger))
            }
        }
    }

    /// A statement that one client prepared would be unknown on the next server, and its name taken on another.
    @Test func statementsAreNotPreparedAndNoneFails() async throws {
        try await self.withPooledClient { client in
            try await withThrowingTaskGroup { group in
                for index in 0..<12 {
                    group.addTask {
                        for round in 0..<30 {
                            let n = try await client.query("SELECT \(index + round) AS n").only?.decode(
                                "n", as: Int.self)
                            #expect(n == index + round)
                        }
                    }
                }
                try await group.waitForAll()
            }
            for _ in 0..<4 {
                let rows = try await client.query("SELECT name FROM pg_prepared_statements")
                #expect(rows.isEmpty)
            }
        }
    }

    @Test func transactionsAndPipelinesWork() async throws {
        try await self.withPooledClient { client in
            try await client.execute("CREATE TABLE t (id int PRIMARY KEY)")
            try await withThrowingTaskGroup { group in
                for index in 0..<6 {
                    group.addTask {
                        for round in 0..<5 {
                            let base = 1000 * index + 10 * round
                            try await client.withTransaction { transaction in
                                for id in 0..<4 { try await transaction.execute("INSERT INTO t VALUES (\(base + id))") }
                            }
                            let outcomes = try await client.withConnection { connection in
                                try await connection.pipeline { pipeline in
                                    for id in 3..<8 { pipeline.append("INSERT INTO t VALUES (\(base + id))") }
                                }
                            }
                            #expect(outcomes.map { (try? $0.get()) != nil } == [false, true, true, true, true])
                        }
                    }
                }
                try await group.waitForAll()
            }
            let count = try await client.query("SELECT count(*) AS n FROM t").only?.decode("n", as: Int.self)
            #expect(count == 6 * 5 * 8)
        }
    }

    @Test func readsThatWouldShareGetConnectionsOfTheirOwn() async throws {
        let failures = LogCounter("connecting to the database failed")
        try await self.withPooledClient(logger: failures.logger) { client in
            try await withThrowingTaskGroup { group in
                for index in 0..<20 {
                    group.addTask {
                        let n = try await client.sharedReads.query("SELECT \(index) AS n").only?.decode(
                            "n", as: Int.self)
                        #expect(n == index)
                    }
                }
                try await group.waitForAll()
            }
            #expect(client.sharedReads.statistics.acquired == 0)
            #expect(client.statistics.acquired == 20)
            #expect(failures.count == 0)
        }
    }

    /// LISTEN would be some server's, and the notifications somebody else's.
    @Test func listeningIsRefusedWithTheReason() async throws {
        try await self.withPooledClient { client in
            let error = await #expect(throws: PGError.self) {
                try await client.withConnection { _ = try await $0.listen(to: "events") }
            }
            #expect(error?.code == .behindPooler)
            #expect(error?.message.contains("LISTEN") == true)
            let channels = try await client.query("SELECT pg_listening_channels()")
            #expect(channels.isEmpty)

            var events = client.listen(to: "events").makeAsyncIterator()
            let refusal = await #expect(throws: PGError.self) { _ = try await events.next() }
            #expect(refusal?.code == .behindPooler)
        }
    }

    /// What it set stays with some server, for other clients of the pooler.
    @Test func theLogTellsOnceOfAStatementThatChangesItsSession() async throws {
        let log = LogCounter("a statement changed its session, which behind a pooler may be anybody's next")
        try await self.withPooledClient(logger: log.logger) { client in
            for _ in 0..<3 { try await client.query("SELECT 1") }  // The second time it asks who the server is.
            try await client.withTransaction { try await $0.query("SET LOCAL work_mem = '5MB'") }
            #expect(log.count == 0)
            for _ in 0..<3 { try await client.query("SET work_mem = '5MB'") }
            try await client.query("SELECT 1")
            #expect(log.count == 1)
        }
    }

    @Test func aPoolerThatTakesNoSettingsIsToldFromAServerThatIsDownAndTheWayOutIsNamed() async throws {
        try await withTestDatabase { database in
            try await withTransactionPooler(to: database.configuration, ignored: "") { configuration in
                let client = PGClient(configuration, logger: quietLogger)
                let error = await #expect(throws: PGError.self) { try await client.query("SELECT 1") }
                #expect(error?.code == .invalidConfiguration)
                #expect(error?.message.contains("unsupported startup parameter") == true)
                #expect(error?.hint?.contains("ignore_startup_parameters") == true)
                #expect(client.statistics.connectionsFailed == 1)

                var plain = configuration
                plain.statementTimeout = nil
                let rows = try await PGClient(plain, logger: quietLogger).query("SELECT 1")
                #expect(rows.count == 1)
            }
        }
    }
}
