import PGClient
import PGTesting
import Synchronization
import Testing

@Suite struct PoolTests {
    @Test func manyTasksShareAFewConnections() async throws {
        try await withClient { client in
            let total = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        var sum = 0
                        for round in 0..<20 {
                            sum += try await client.query("SELECT \(index * round) AS n").only?.decode("n") ?? 0
                        }
                        return sum
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(total == (0..<100).reduce(0, +) * (0..<20).reduce(0, +))
            #expect(client.statistics.connectionsMade <= 3)
            #expect(client.statistics.acquired == 2000)
        }
    }

    @Test func aPoolThatWasMadeLongAgoWaitsForItsFirstConnection() async throws {
        try await withClient({ $0.pool.acquireTimeout = .seconds(2) }) { client in
            let start = ContinuousClock.now
            try await eventually { ContinuousClock.now - start > .seconds(2) }
            #expect(try await client.query("SELECT 1").count == 1)
        }
    }

    @Test func callersThatWaitTooLongAreToldWhoHasTheConnections() async throws {
        try await withClient({ ($0.pool.maximum, $0.pool.acquireTimeout) = (1, .milliseconds(50)) }) { client in
            try await eventually { (try? await client.query("SELECT 1")) != nil }
            try await client.withConnection { _ in
                let error = await #expect(throws: PGError.self) { try await client.query("SELECT 1") }
                #expect(error?.code == .acquireTimeout)
                #expect(error?.message.contains("1 of 1 connections in use") == true)
            }
        }
    }

    @Test func aFullQueueRefusesAtOnce() async throws {
        try await withClient({ ($0.pool.maximum, $0.pool.queueLimit) = (1, 0) }) { client in
            try await client.query("SELECT 1")
            try await client.withConnection { _ in
                let error = await #expect(throws: PGError.self) { try await client.query("SELECT 1") }
                #expect(error?.code == .poolSaturated)
            }
        }
    }

    @Test func theMinimumIsKeptWhileThePoolRuns() async throws {
        try await withClient({ ($0.pool.minimum, $0.pool.maximum) = (2, 3) }) { client in
            await withThrowingTaskGroup { group in
                group.addTask { await client.run() }
                try? await eventually { client.statistics.idle == 2 }
                group.cancelAll()
            }
            #expect(client.statistics.idle == 0)
        }
    }

    @Test func shuttingDownWaitsForThoseWhoAreServed() async throws {
        // A query that came just before the end waits to be served; only later ones are refused.
        try await withClient({ ($0.pool.maximum, $0.pool.acquireTimeout) = (1, .seconds(5)) }) { client in
            let isInside = Flag()
            let mayLeave = Flag()
            try await withThrowingTaskGroup { group in
                group.addTask {
                    try await withThrowingTaskGroup { inner in
                        inner.addTask { await client.run() }
                        try await eventually { isInside.isSet }
                        inner.cancelAll()
                        try await eventually {
                            do {
                                try await client.query("SELECT 1")
                                return false
                            } catch let error as PGError {
                                return error.code == .poolClosed
                            }
                        }
                        mayLeave.set()
                        try await inner.waitForAll()
                        #expect(client.statistics.leased == 0)
                    }
                }
                group.addTask {
                    try await client.withConnection { connection in
                        isInside.set()
                        try await eventually { mayLeave.isSet }
                        let rows = try await connection.query("SELECT 1")
                        #expect(rows.count == 1)
                    }
                }
                try await group.waitForAll()
            }
            let error = await #expect(throws: PGError.self) { try await client.query("SELECT 1") }
            #expect(error?.code == .poolClosed)
        }
    }

    @Test func aConnectionThatIsHeldForEverIsClosedWhenTheTimeForDrainingIsOver() async throws {
        try await withClient({ $0.pool.drainTimeout = .milliseconds(50) }) { client in
            let isInside = Flag()
            let isOver = Flag()
            try await withThrowingTaskGroup { group in
                group.addTask {
                    try await client.withConnection { connection in
                        isInside.set()
                        try await eventually { isOver.isSet }
                        let error = await #expect(throws: PGError.self) { try await connection.query("SELECT 1") }
                        #expect(error?.code == .poolClosed)
                    }
                }
                try await eventually { isInside.isSet }
                await withTaskGroup { inner in
                    inner.addTask { await client.run() }
                    inner.cancelAll()
                }
                isOver.set()
                try await group.waitForAll()
            }
        }
    }

    @Test func settingsAreInEffectFromTheFirstStatement() async throws {
        try await withClient({
            $0.applicationName = "pool test"
            $0.statementTimeout = .milliseconds(1500)
            $0.parameters = ["search_path": "\"a b\", \"c\\d\"", "lock_timeout": "7s"]
        }) { client in
            let row = try #require(
                try await client.query(
                    """
                    SELECT current_setting('application_name') AS name, current_setting('statement_timeout') AS statement,
                        current_setting('search_path') AS path, current_setting('lock_timeout') AS lock
                    """
                ).only
            )
            #expect(try row.decode("name") == "pool test")
            #expect(try row.decode("statement") == "1500ms")
            #expect(try row.decode("path") == "\"a b\", \"c\\d\"")
            #expect(try row.decode("lock") == "7s")
        }
    }

    @Test func noticesReachTheHandler() async throws {
        let notices = Mutex<[PGNotice]>([])
        try await withTestDatabase { database in
            var configuration = database.configuration
            configuration.noticeHandler = { notice in notices.withLock { $0.append(notice) } }
            try await PGConnection.withConnection(configuration, logger: quietLogger) { connection in
                _ = try await connection.simpleQuery(
                    unsafeSQL: "DO $$ BEGIN RAISE WARNING 'careful' USING HINT = 'look'; END $$")
            }
        }
        let notice = try #require(notices.withLock { $0.first })
        #expect(
            notice.severity == "WARNING" && notice.message == "careful" && notice.hint == "look"
                && notice.sqlState == "01000")
    }

    @Test func statementsOfSeveralTasksOnOneConnectionRunOneAfterAnother() async throws {
        try await withConnection { connection in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<50 {
                    group.addTask { try await connection.query("SELECT \(index) AS n").only?.decode("n") ?? 0 }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 1225)
        }
    }

    /// A caller that comes later never overtakes one that waits, be it for a statement or for a connection.
    @Test func callersAreServedInTheOrderInWhichTheyCame() async throws {
        try await withClient({ ($0.pool.maximum, $0.pool.acquireTimeout) = (1, .seconds(60)) }) { client in
            try await client.execute("CREATE SEQUENCE turns MINVALUE 0")
            try await withThrowingTaskGroup { group in
                try await client.withConnection { _ in
                    for index in 0..<30 {
                        group.addTask {
                            // The only connection counts, since tasks that are resumed go on in any order.
                            let turn: PGQuery = "SELECT nextval('turns') AS turn"
                            let rows =
                                if index.isMultiple(of: 2) {
                                    try await client.query(turn)
                                } else {
                                    try await client.withConnection { try await $0.query(turn) }
                                }
                            let served = try rows.only?.decode("turn", as: Int.self)
                            #expect(served == index)
                        }
                        try await eventually { client.statistics.waiting == index + 1 }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func aResultIsHandedOverWhileSlowQueriesKeepTheConnectionsAndTheQueueBusy() async throws {
        try await withTestDatabase { database in
            var configuration = database.configuration
            configuration.pool.maximum = 1
            let client = PGClient(configuration, logger: quietLogger)
            try await PGConnection.withConnection(configuration, logger: quietLogger) { holder in
                try await holder.query("SELECT pg_advisory_lock(1)")
                try await withThrowingTaskGroup { group in
                    try await client.withConnection { _ in
                        group.addTask { try await client.query("SELECT 1") }
                        try await eventually { client.statistics.waiting == 1 }
                        for count in 2...5 {
                            group.addTask { try await client.query("SELECT pg_advisory_xact_lock(1)") }
                            try await eventually { client.statistics.waiting == count }
                        }
                    }
                    // The first query's; the others cannot end before the lock is released.
                    _ = try await group.next()
                    try await holder.query("SELECT pg_advisory_unlock(1)")
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func theServersParametersAreKnown() async throws {
        try await withConnection { connection in
            #expect(connection.serverVersion >= 120_000)
            #expect(connection.parameterStatus("client_encoding") == "UTF8")
            let pid = try await connection.query("SELECT pg_backend_pid() AS pid").only?.decode("pid", as: Int32.self)
            #expect(pid == connection.backendPID)
            _ = try await connection.simpleQuery(unsafeSQL: "SET TimeZone = 'Asia/Tokyo'")
            #expect(connection.parameterStatus("TimeZone") == "Asia/Tokyo")
        }
    }

    @Test func copyIsRefusedWithoutHanging() async throws {
        try await withClient { client in
            for command: PGQuery in ["COPY (SELECT 1) TO STDOUT", "COPY pg_class FROM STDIN"] {
                let error = await #expect(throws: PGError.self) { try await client.query(command) }
                #expect(error?.code == .unsupported || error?.code == .server)
            }
            try await client.query("SELECT 1")
        }
    }
}
