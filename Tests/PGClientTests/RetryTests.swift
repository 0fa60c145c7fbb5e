import PGClient
import PGTesting
import Testing

@Suite struct RetryTests {
    /// Serializable counters under many tasks: every increment counts once, with a bounded number of attempts.
    @Test func aStormOfSerializationFailuresEndsWithTheRightTotal() async throws {
        try await withClient({ ($0.pool.maximum, $0.pool.acquireTimeout) = (8, .seconds(60)) }) { client in
            try await client.execute("CREATE TABLE counters (id int PRIMARY KEY, total int NOT NULL)")
            try await client.execute("INSERT INTO counters SELECT i, 0 FROM generate_series(1, 4) AS i")
            let attempts = Counter()
            try await withThrowingTaskGroup { group in
                for task in 0..<32 {
                    group.addTask {
                        for round in 0..<5 {
                            let id = (task + round) % 4 + 1
                            let retry = PGRetry.serialization(max: 200, deadline: .seconds(60))
                            try await client.withTransaction(isolation: .serializable, retry: retry) { transaction in
                                attempts.add(1)
                                let rows = try await transaction.query("SELECT total FROM counters WHERE id = \(id)")
                                let total = try rows[0].decode("total", as: Int.self)
                                try await transaction.execute(
                                    "UPDATE counters SET total = \(total + 1) WHERE id = \(id)")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await client.query("SELECT sum(total) AS sum FROM counters").only?.decode("sum") == 160)
            #expect(attempts.value > 160, "no transaction was ever refused: the storm did not happen")
        }
    }

    @Test func aDeadlockIsRunAgain() async throws {
        try await withClient({ $0.parameters = ["deadlock_timeout": "10ms"] }) { client in
            try await client.execute("CREATE TABLE t (id int PRIMARY KEY, n int)")
            try await client.execute("INSERT INTO t VALUES (1, 0), (2, 0)")
            let (attempts, holders) = (Counter(), Counter())
            try await withThrowingTaskGroup { group in
                for order in [[1, 2], [2, 1]] {
                    group.addTask {
                        try await client.withTransaction(retry: .serialization(max: 20)) { transaction in
                            attempts.add(1)
                            try await transaction.execute("UPDATE t SET n = n + 1 WHERE id = \(order[0])")
                            // Both hold their first row before either asks for its second.
                            holders.add(1)
                            try await eventually { holders.value > 1 }
                            try await transaction.execute("UPDATE t SET n = n + 1 WHERE id = \(order[1])")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(attempts.value > 2)
            #expect(try await client.query("SELECT sum(n) AS sum FROM t").only?.decode("sum") == 4)
        }
    }

    @Test func attemptsAreBoundedAndTheLastErrorIsThrown() async throws {
        try await withClient { client in
            let attempts = Counter()
            let error = await #expect(throws: PGError.self) {
                try await client.withTransaction(retry: .serialization(max: 3)) { transaction in
                    attempts.add(1)
                    _ = try await transaction.simpleQuery(
                        unsafeSQL: "DO $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '40001'; END $$")
                }
            }
            #expect(error?.sqlState == "40001")
            #expect(attempts.value == 3)
        }
    }

    @Test func noAttemptBeginsAfterTheDeadline() async throws {
        try await withConnection { connection in
            let attempts = Counter()
            let error = await #expect(throws: PGError.self) {
                try await connection.withTransaction(retry: .serialization(max: .max, deadline: .milliseconds(50))) {
                    attempts.add(1)
                    _ = try await $0.simpleQuery(
                        unsafeSQL: "DO $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '40P01'; END $$")
                }
            }
            #expect(error?.sqlState == "40P01")
            // Pauses double, so that there is no time for many.
            #expect(attempts.value < 1000)
        }
    }

    @Test func otherErrorsAreNotRetried() async throws {
        try await withClient { client in
            let attempts = Counter()
            await #expect(throws: PGError.self) {
                try await client.withTransaction(retry: .serialization()) { transaction in
                    attempts.add(1)
                    try await transaction.query("SELECT 1 / 0")
                }
            }
            #expect(attempts.value == 1)
        }
    }

    @Test func aDeferrableTransactionIsOneToTheServer() async throws {
        try await withConnection { connection in
            try await connection.withTransaction(isolation: .serializable, readOnly: true, deferrable: true) {
                transaction in
                let rows = try await transaction.query("SHOW transaction_deferrable")
                #expect(try rows.only?.decode("transaction_deferrable") == "on")
            }
        }
    }
}
