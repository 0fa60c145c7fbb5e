import PGTesting
import Synchronization
import Testing

@testable import PGClient

@Suite(.timeLimit(.minutes(5))) struct SharingTests {
    private func withSharing<R: Sendable>(
        connections: Int, _ change: (inout PGConfiguration) -> Void = { _ in }, _ body: (PGClient) async throws -> R
    ) async throws -> R {
        try await withClient(
            { configuration in
                configuration.sharing.connections = connections
                configuration.statementTimeout = .seconds(600)
                change(&configuration)
            }, body)
    }

    @Test func manyTasksShareAFewConnectionsAndEachGetsItsOwnAnswer() async throws {
        try await self.withSharing(connections: 2) { client in
            let total = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        var sum = 0
                        for round in 0..<20 {
                            let n = try await client.sharedReads.query("SELECT \(index * round) AS n").only?.decode(
                                "n", as: Int.self)
                            #expect(n == index * round)
                            sum += n ?? 0
                        }
                        return sum
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(total == (0..<100).reduce(0, +) * (0..<20).reduce(0, +))
            #expect((1...2).contains(client.sharedReads.statistics.connectionsMade))
            #expect(client.statistics.acquired == 0)
        }
    }

    /// Batches are made of quick statements only: those that take long would wait for each other.
    @Test func statementsThatTakeLongRunSideBySide() async throws {
        try await self.withSharing(connections: 4) { client in
            try await eventually {
                try await withThrowingTaskGroup { group in
                    for _ in 0..<40 { group.addTask { try await client.sharedReads.query("SELECT pg_sleep(0.01)") } }
                    try await group.waitForAll()
                }
                return client.sharedReads.statistics.idle == 4
            }
            try await client.withConnection { holder in
                try await holder.query("SELECT pg_advisory_lock(1)")
                try await withThrowingTaskGroup { group in
                    for _ in 0..<4 {
                        group.addTask { try await client.sharedReads.query("SELECT pg_advisory_xact_lock_shared(1)") }
                    }
                    try await eventually {
                        let waiting: PGQuery = """
                            SELECT count(*) AS n FROM pg_locks JOIN pg_database ON pg_database.oid = database
                            WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()
                            """
                        return try await holder.query(waiting).only?.decode("n", as: Int.self) == 4
                    }
                    try await holder.query("SELECT pg_advisory_unlock(1)")
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func onlyTheTaskWhoseQueryFailedIsTold() async throws {
        try await self.withSharing(connections: 1) { client in
            try await withThrowingTaskGroup { group in
                for index in 0..<64 {
                    group.addTask {
                        for divisor in [1, 0, 2, 0] {
                            do {
                                let row = try await client.sharedReads.query("SELECT \(index) / \(divisor) AS n").only
                                #expect(try row?.decode("n") == index / divisor)
                            } catch let error as PGError {
                                #expect(error.sqlState == "22012" && divisor == 0)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(client.sharedReads.statistics.connectionsMade == 1)
        }
    }

    /// A task that holds a row lock in its own transaction, and waits for a query that is queued behind a blocked UPDATE of
    /// somebody else, is a deadlock that the server cannot see. So an UPDATE is not let in.
    @Test func writesNeverShareSoThatNobodyWaitsBehindALock() async throws {
        try await self.withSharing(connections: 1, { $0.pool.maximum = 2 }) { client in
            try await client.execute("CREATE TABLE t AS SELECT 1 AS id, 0 AS n")
            try await client.withTransaction { transaction in
                try await transaction.execute("UPDATE t SET n = 1 WHERE id = 1")
                let writes: [PGQuery] = [
                    "UPDATE t SET n = 2 WHERE id = 1", "SELECT * FROM t FOR UPDATE", "SELECT nextval('s')",
                    "DELETE FROM t", "CREATE TABLE u ()",
                ]
                try await withThrowingTaskGroup { group in
                    for write in writes {
                        group.addTask {
                            let error = await #expect(throws: PGError.self) {
                                try await client.sharedReads.query(write)
                            }
                            #expect(["25006", "42P01"].contains(error?.sqlState))
                        }
                    }
                    // With the lock held, reads that come behind the writes are answered.
                    for _ in 0..<20 {
                        let n = try await client.sharedReads.query("SELECT n FROM t").only?.decode("n", as: Int.self)
                        #expect(n == 0)
                    }
                    try await group.waitForAll()
                }
            }
            let n = try await client.sharedReads.query("SELECT n FROM t").only?.decode("n", as: Int.self)
            #expect(n == 1)
        }
    }

    @Test func theResultOfACancelledTaskIsDroppedAndNothingIsQueuedBehindItsQuery() async throws {
        try await withTestDatabase { database in
            var configuration = database.configuration
            configuration.sharing.connections = 2
            configuration.pool.acquireTimeout = .seconds(60)
            configuration.statementTimeout = .seconds(600)
            let client = PGClient(configuration, logger: quietLogger)
            try await PGConnection.withConnection(configuration, logger: quietLogger) { holder in
                try await holder.query("SELECT pg_advisory_lock(1)")
                let slow = Task { try await client.sharedReads.query("SELECT pg_advisory_xact_lock(1) AS dropped") }
                try await eventually { try await holder.isRunning("pg_advisory_xact_lock(1) AS dropped") }
                slow.cancel()
                await #expect(throws: CancellationError.self) { try await slow.value }
                // The query is still blocked, and everybody else is served.
                for index in 0..<50 {
                    let n = try await client.sharedReads.query("SELECT \(index) AS n").only?.decode("n", as: Int.self)
                    #expect(n == index)
                }
                let isBlocked = try await holder.isRunning("pg_advisory_xact_lock(1) AS dropped")
                #expect(isBlocked)
                try await holder.query("SELECT pg_advisory_unlock(1)")
                try await eventually { client.sharedReads.statistics.leased == 0 }
            }
            let n = try await client.sharedReads.query("SELECT 7 AS n").only?.decode("n", as: Int.self)
            #expect(n == 7)
        }
    }

    @Test func aQueryThatTakesTooLongIsStoppedByItsTimeLimit() async throws {
        try await self.withSharing(connections: 1, { $0.statementTimeout = .seconds(3) }) { client in
            try await withThrowingTaskGroup { group in
                group.addTask {
                    let error = await #expect(throws: PGError.self) {
                        try await client.sharedReads.query("SELECT pg_sleep(60)")
                    }
                    #expect(error?.sqlState == "57014")
                }
                for index in 0..<30 {
                    group.addTask {
                        let n = try await client.sharedReads.query("SELECT \(index) AS n").only?.decode(
                            "n", as: Int.self)
                        #expect(n == index)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func aServerThatFreezesIsGivenUpWhenNoStatementCouldTakeThatLong() async throws {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                var configuration = try proxy.configuration()
                configuration.sharing.connections = 1
                configuration.pool.acquireTimeout = .seconds(60)
                configuration.statementTimeout = .seconds(3)
                configuration.cancelBudget = .milliseconds(100)
                let client = PGClient(configuration, logger: quietLogger)
                try await client.sharedReads.query("SELECT 1")
                proxy.freeze()
                let error = await #expect(throws: PGError.self) { try await client.sharedReads.query("SELECT 2") }
                #expect(error?.code == .connection)
                proxy.thaw()
                let rows = try await client.sharedReads.query("SELECT 3")
                #expect(rows.count == 1)
            }
        }
    }

    @Test func aLostConnectionFailsThoseWhoWaitOnItAndIsReplaced() async throws {
        try await self.withSharing(connections: 1) { client in
            for _ in 0..<5 {
                let pid = try await client.sharedReads.query("SELECT pg_backend_pid() AS pid").only?.decode(
                    "pid", as: Int32.self)
                let slow = Task { try await client.sharedReads.query("SELECT pg_sleep(60) AS lost") }
                try await eventually { try await client.isRunning("AS lost") }
                try await client.query("SELECT pg_terminate_backend(\(try #require(pid)))")
                let error = await #expect(throws: PGError.self) { try await slow.value }
                #expect(error?.sqlState == "57P01")
                let next = try await client.sharedReads.query("SELECT pg_backend_pid() AS pid").only?.decode(
                    "pid", as: Int32.self)
                #expect(next != pid)
            }
        }
    }

    /// libpq takes the first statement for a connection that is cut, and refuses the next: neither may be forgotten.
    @Test func everyReadEndsThatMeetsAConnectionThatIsCut() async throws {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                var configuration = try proxy.configuration()
                configuration.pool.maximum = 1
                configuration.parameters["default_transaction_read_only"] = "on"
                let loop = IOLoop(
                    PoolDriver(configuration, logger: quietLogger, failsOnFirstError: false, sharing: .init()))
                let large = String(repeating: "x", count: 300_000)
                for _ in 0..<10 {
                    let first = try Job.statement("SELECT 1")
                    await loop.run(first)
                    let jobs = try (0..<4).map { _ in try Job.statement("SELECT length(\(large))") }
                    // On the loop's thread, so that it handles all in one turn: first the cut, then the statements.
                    try await Task(executorPreference: loop) {
                        Task(executorPreference: loop) { proxy.reset() }
                        for job in jobs { try loop.post(.request(.job(job))) }
                    }.value
                    func areFinished() async -> Bool {
                        await Task(executorPreference: loop) { jobs.allSatisfy(\.isFinished) }.value
                    }
                    try await eventually("each of them ends") { await areFinished() }
                    guard await areFinished() else { break }
                }
                await loop.drain()
            }
        }
    }

    @Test(arguments: [
        "SET search_path = evil", "/* a /* nested */ comment */ set search_path = evil", "-- one\n;SET ROLE postgres",
        "-- one\rSET search_path = evil",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", "BEGIN", "PREPARE p AS SELECT 1", "DISCARD ALL",
        "DO 'BEGIN PERFORM set_config(''search_path'', ''evil'', false); END'", "LISTEN events", "reset all",
    ])
    func whatWouldChangeTheSessionIsRefused(_ sql: String) async throws {
        try await self.withSharing(connections: 1) { client in
            let path = try await client.sharedReads.query("SHOW search_path").only?.decode(String.self)
            let error = await #expect(throws: PGError.self) {
                try await client.sharedReads.query(PGQuery(unsafeSQL: sql))
            }
            #expect(error?.code == .unsupported)
            let query: PGQuery = "/* SET */ WITH settled AS (SELECT current_setting('search_path')) TABLE settled"
            let after = try await client.sharedReads.query(query).only?.decode(String.self)
            #expect(after == path)
        }
    }

    @Test func aPlanThatTheSchemaOutgrewIsMadeAgain() async throws {
        try await self.withSharing(connections: 1) { client in
            try await client.execute("CREATE TABLE t AS SELECT 1 AS a")
            for column in 0..<3 {
                try await withThrowingTaskGroup { group in
                    for _ in 0..<30 {
                        group.addTask {
                            let rows = try await client.sharedReads.query("SELECT * FROM t")
                            #expect(rows.columns.count == 1 + column)
                        }
                    }
                    try await group.waitForAll()
                }
                try await client.query(PGQuery(unsafeSQL: "ALTER TABLE t ADD COLUMN c\(column) int"))
            }
        }
    }

    @Test func moreStatementsThanAreKeptPreparedMakeRoomForEachOther() async throws {
        try await self.withSharing(connections: 1, { $0.statementCacheCapacity = 3 }) { client in
            for round in 0..<3 {
                for index in 0..<10 {
                    for _ in 0..<3 {
                        let rows = try await client.sharedReads.query(PGQuery(unsafeSQL: "SELECT \(index), \(round)"))
                        #expect(rows.count == 1)
                    }
                }
            }
            let prepared = try await client.sharedReads.query("SELECT count(*) AS n FROM pg_prepared_statements").only
            #expect(try #require(prepared).decode("n", as: Int.self) <= 4)
        }
    }

    @Test func connectionsEndWithTheirLifetimeWithoutFailingAQuery() async throws {
        try await self.withSharing(connections: 2, { $0.pool.maximumLifetime = .milliseconds(20) }) { client in
            try await eventually {
                try await withThrowingTaskGroup { group in
                    for index in 0..<40 {
                        group.addTask {
                            let n = try await client.sharedReads.query("SELECT \(index) AS n").only?.decode(
                                "n", as: Int.self)
                            #expect(n == index)
                        }
                    }
                    try await group.waitForAll()
                }
                return client.sharedReads.statistics.connectionsMade >= 6
            }
            #expect(client.sharedReads.statistics.connectionsLost == 0)
        }
    }
}
