import PGClient
import PGTesting
import Testing

@Suite struct TransactionTests {
    struct Refusal: Error {}

    func values(_ database: some PGQuerying) async throws -> [Int] {
        try await database.query("SELECT x FROM t ORDER BY x").map { try $0.decode("x") }
    }

    @discardableResult
    func withTable<R: Sendable>(_ body: (PGClient) async throws -> R) async throws -> R {
        try await withClient { client in
            try await client.execute("CREATE TABLE t(x int CONSTRAINT t_x_key UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            return try await body(client)
        }
    }

    @Test func whatTheClosureThrowsUndoesTheTransactionAndComesOut() async throws {
        try await self.withTable { client in
            await #expect(throws: Refusal.self) {
                try await client.withTransaction { transaction in
                    try await transaction.execute("INSERT INTO t VALUES (1)")
                    throw Refusal()
                }
            }
            let values = try await self.values(client)
            #expect(values == [])
        }
    }

    @Test func theClosuresErrorIsNotMaskedByAFailingRollback() async throws {
        try await self.withTable { client in
            await #expect(throws: Refusal.self) {
                try await client.withTransaction { transaction in
                    let pid = try await transaction.query("SELECT pg_backend_pid() AS pid").only?.decode(
                        "pid", as: Int32.self)
                    try await client.execute("SELECT pg_terminate_backend(\(pid))")
                    throw Refusal()
                }
            }
        }
    }

    @Test func aFailedInnerTransactionLeavesTheOuterOneWhole() async throws {
        try await self.withTable { client in
            try await client.withTransaction { outer in
                try await outer.execute("INSERT INTO t VALUES (1)")
                await #expect(throws: PGError.self) {
                    try await outer.withTransaction { inner in
                        try await inner.execute("INSERT INTO t VALUES (2)")
                        try await inner.execute("INSERT INTO nowhere VALUES (3)")
                    }
                }
                try await outer.withTransaction { inner in
                    try await inner.withTransaction { try await $0.execute("INSERT INTO t VALUES (4)") }
                }
            }
            let values = try await self.values(client)
            #expect(values == [1, 4])
        }
    }

    @Test func theOuterTransactionIsRefusedWhileAnInnerOneIsOpen() async throws {
        try await self.withTable { client in
            try await client.withConnection { connection in
                try await connection.withTransaction { outer in
                    try await outer.withTransaction { _ in
                        let error = await #expect(throws: PGError.self) { try await outer.query("SELECT 1") }
                        #expect(error?.code == .invalidState)
                        let second = await #expect(throws: PGError.self) { try await connection.query("SELECT 1") }
                        #expect(second?.code == .invalidState)
                    }
                }
            }
        }
    }

    @Test func aTransactionThatHasEndedIsRefused() async throws {
        try await self.withTable { client in
            try await client.withConnection { connection in
                let escaped = try await connection.withTransaction { $0 }
                let error = await #expect(throws: PGError.self) { try await escaped.query("SELECT 1") }
                #expect(error?.code == .invalidState)
            }
        }
    }

    @Test func aConnectionThatWasGivenBackIsRefused() async throws {
        try await self.withTable { client in
            let escaped = try await client.withConnection { $0 }
            let error = await #expect(throws: PGError.self) { try await escaped.query("SELECT 1") }
            #expect(error?.code == .invalidState)
        }
    }

    @Test func aCommitThatTheServerTurnsIntoARollbackIsAnError() async throws {
        try await self.withTable { client in
            let error = await #expect(throws: PGError.self) {
                try await client.withTransaction { transaction in
                    try await transaction.execute("INSERT INTO t VALUES (1)")
                    _ = try? await transaction.query("SELECT 1 / 0")
                }
            }
            #expect(error?.code == .commitRolledBack)
            let values = try await self.values(client)
            #expect(values == [])
        }
    }

    @Test(arguments: ["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1);", "INSERT INTO t VALUES (1) -- one", ""])
    func whatComesAlongWithCommitMayEndAnyhow(_ closing: String) async throws {
        try await self.withTable { client in
            try await client.withConnection { connection in
                try await connection.withTransaction(unsafeOpening: "SELECT 1") { _, opening in
                    #expect(opening.count == 1)
                    return closing
                }
                #expect(connection.transactionStatus == .idle)
            }
            let values = try await self.values(client)
            #expect(values == (closing.isEmpty ? [] : [1]))
        }
    }

    /// libpq would end the text there, before COMMIT.
    @Test func aNULAmongWhatComesAlongIsRefused() async throws {
        try await self.withTable { client in
            for (opening, closing) in [("SELECT 1;\0", ""), ("SELECT 1", "INSERT INTO t VALUES (1);\0")] {
                try await client.withConnection { connection in
                    let error = await #expect(throws: PGError.self) {
                        try await connection.withTransaction(unsafeOpening: opening) { _, _ in closing }
                    }
                    #expect(error?.code == .invalidParameter)
                    #expect(connection.transactionStatus == .idle)
                }
            }
            let values = try await self.values(client)
            #expect(values == [])
        }
    }

    @Test func aDeferredConstraintFailsTheCommit() async throws {
        try await self.withTable { client in
            let error = await #expect(throws: PGError.self) {
                try await client.withTransaction { transaction in
                    try await transaction.execute("INSERT INTO t VALUES (1), (1)")
                }
            }
            #expect(error?.violates("t_x_key") == true)
            let values = try await self.values(client)
            #expect(values == [])
        }
    }

    @Test func aConnectionLostDuringCommitLeavesTheOutcomeInDoubt() async throws {
        try await self.withTable { client in
            // The commit itself takes long, so that the connection can be cut in the middle of it.
            try await client.withConnection {
                _ = try await $0.simpleQuery(
                    unsafeSQL: """
                        CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(30); RETURN NULL; END$$;
                        CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                            FOR EACH ROW EXECUTE FUNCTION linger();
                        """
                )
            }
            let error = await #expect(throws: PGError.self) {
                try await withThrowingTaskGroup { group in
                    group.addTask {
                        try await client.withTransaction { try await $0.execute("INSERT INTO t VALUES (1)") }
                    }
                    try await eventually { try await client.isRunning("COMMIT") }
                    try await client.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'COMMIT' AND datname = current_database()"
                    )
                    try await group.waitForAll()
                }
            }
            #expect(error?.code == .commitInDoubt)
        }
    }

    @Test func aConnectionLostBeforeCommitIsNoDoubt() async throws {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                let lost = LogCounter("a database connection was lost")
                let client = PGClient(try proxy.configuration(), logger: lost.logger)
                let error = await #expect(throws: PGError.self) {
                    try await client.withTransaction { _ in
                        proxy.reset()
                        try await eventually { lost.count == 1 }
                    }
                }
                #expect(error?.code == .connection)
            }
        }
    }

    @Test func aTransactionLeftOpenByHandIsRolledBackBeforeTheNextCaller() async throws {
        try await withClient({ $0.pool.maximum = 1 }) { client in
            try await client.execute("CREATE TABLE t(x int)")
            let pid = try await client.withConnection { connection in
                _ = try await connection.simpleQuery(unsafeSQL: "BEGIN; INSERT INTO t VALUES (1)")
                #expect(connection.transactionStatus == .inTransaction)
                return connection.backendPID
            }
            try await client.withConnection { connection in
                #expect(connection.backendPID == pid)
                let rows = try await connection.query("SELECT 1 FROM t")
                #expect(rows.isEmpty)
            }
        }
    }

    @Test func isolationAndReadOnlyReachTheServer() async throws {
        try await self.withTable { client in
            try await client.withTransaction(isolation: .serializable, readOnly: true) { transaction in
                let level = try await transaction.query("SHOW transaction_isolation").only?.decode(
                    "transaction_isolation", as: String.self)
                #expect(level == "serializable")
                let error = await #expect(throws: PGError.self) {
                    try await transaction.execute("INSERT INTO t VALUES (1)")
                }
                #expect(error?.sqlState == "25006")
                _ = try await transaction.simpleQuery(unsafeSQL: "ROLLBACK; BEGIN")
            }
        }
    }
}
