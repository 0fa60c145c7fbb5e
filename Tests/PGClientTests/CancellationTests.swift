import Glibc
import PGClient
import PGTesting
import Testing

@Suite struct CancellationTests {
    /// Runs `body` in a task, cancels it once `isReady` holds, and returns how it ended and how long after the cancellation.
    func cancelled<R: Sendable>(
        when isReady: () async throws -> Bool,
        _ body: @escaping @Sendable () async throws -> R
    ) async throws -> (Result<R, any Error>, Duration) {
        try await withThrowingTaskGroup(of: Result<R, any Error>.self) { group in
            group.addTask {
                do { return .success(try await body()) } catch { return .failure(error) }
            }
            try await eventually { try await isReady() }
            let start = ContinuousClock.now
            group.cancelAll()
            let result = try #require(try await group.next())
            return (result, .now - start)
        }
    }

    func expectCancelled<R>(_ result: Result<R, any Error>, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(throws: CancellationError.self, sourceLocation: sourceLocation) { _ = try result.get() }
    }

    @Test func aRunningQueryIsStoppedOnTheServerAndItsConnectionUsedAgain() async throws {
        try await withClient { client in
            let (result, time) = try await self.cancelled(when: { try await client.isRunning("pg_sleep(31)") }) {
                try await client.query("SELECT pg_sleep(31)")
            }
            self.expectCancelled(result)
            #expect(time < .seconds(5))
            let isStillRunning = try await client.isRunning("pg_sleep(31)")
            #expect(!isStillRunning)
            #expect(client.statistics.connectionsLost == 0)
        }
    }

    @Test func aQueryInATransactionIsStoppedAndTheTransactionRolledBack() async throws {
        try await withClient { client in
            try await client.execute("CREATE TABLE t(x int)")
            let (result, _) = try await self.cancelled(when: { try await client.isRunning("pg_sleep(32)") }) {
                try await client.withTransaction { transaction in
                    try await transaction.execute("INSERT INTO t VALUES (1)")
                    try await transaction.query("SELECT pg_sleep(32)")
                }
            }
            self.expectCancelled(result)
            let rows = try await client.query("SELECT 1 FROM t")
            #expect(rows.isEmpty)
            #expect(client.statistics.connectionsLost == 0)
        }
    }

    @Test func aCallerInTheQueueLeavesIt() async throws {
        try await withClient({ $0.pool.maximum = 1 }) { client in
            try await client.withConnection { _ in
                let (query, _) = try await self.cancelled(when: { client.statistics.waiting == 1 }) {
                    try await client.query("SELECT 1")
                }
                self.expectCancelled(query)
                let (lease, _) = try await self.cancelled(when: { client.statistics.waiting == 1 }) {
                    try await client.withConnection { _ in }
                }
                self.expectCancelled(lease)
                #expect(client.statistics.waiting == 0)
                #expect(client.statistics.cancelled == 2)
            }
            let rows = try await client.query("SELECT 1")
            #expect(rows.count == 1)
        }
    }

    @Test func aCancelledTaskSendsNothing() async throws {
        try await withClient { client in
            try await client.execute("CREATE TABLE t(x int)")
            let (result, _) = try await self.cancelled(when: { true }) {
                while !Task.isCancelled { await Task.yield() }
                try await client.execute("INSERT INTO t VALUES (1)")
            }
            self.expectCancelled(result)
            let rows = try await client.query("SELECT 1 FROM t")
            #expect(rows.isEmpty)
        }
    }

    @Test func aTaskThatWaitsForTheConnectionToBeMadeIsResumedAtOnce() async throws {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                proxy.freeze()
                let client = PGClient(try proxy.configuration(), logger: quietLogger)
                let (result, time) = try await self.cancelled(when: { proxy.accepted == 1 }) {
                    try await client.query("SELECT 1")
                }
                self.expectCancelled(result)
                #expect(time < .seconds(5))
            }
        }
    }

    @Test func aTaskThatMakesAConnectionOfItsOwnIsResumedAtOnce() async throws {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                proxy.freeze()
                var configuration = try proxy.configuration()
                configuration.waitForConnections(atMost: .seconds(3_600))
                configuration.pool.drainTimeout = .seconds(3_600)
                let (result, time) = try await self.cancelled(when: { proxy.accepted == 1 }) { [configuration] in
                    try await PGConnection.withConnection(configuration, logger: quietLogger) { _ in }
                }
                self.expectCancelled(result)
                #expect(time < .seconds(60))
            }
        }
    }

    @Test func aServerThatDoesNotAnswerHoldsACancelledTaskNoLongerThanTheBudget() async throws {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                var configuration = try proxy.configuration()
                configuration.cancelBudget = .milliseconds(200)
                let client = PGClient(configuration, logger: quietLogger)
                let observer = PGClient(database.configuration, logger: quietLogger)
                let (result, time) = try await self.cancelled(
                    when: {
                        guard try await observer.isRunning("pg_sleep(33)") else { return false }
                        proxy.freeze()
                        return true
                    }
                ) {
                    try await client.query("SELECT pg_sleep(33)")
                }
                self.expectCancelled(result)
                #expect(time >= .milliseconds(200) && time < .seconds(10))
                #expect(client.statistics.quarantined == 1 && client.statistics.leased == 0)
                proxy.thaw()
                let rows = try await client.query("SELECT 1")
                #expect(rows.count == 1)
                try await eventually("the query stops and its connection ends") {
                    client.statistics.quarantined == 0 && client.statistics.connectionsLost == 1
                }
                let isStillRunning = try await observer.isRunning("pg_sleep(33)")
                #expect(!isStillRunning)
            }
        }
    }

    /// The server has done the statement, and then takes its time with the request to stop it.
    @Test func whatAStatementDidIsToldThoughItsCancelRequestHangs() async throws {
        let (hasQuery, hasRequest) = (Flag(), Flag())
        let server = try ScriptedServer { session in
            let start = try session.receiveStartup()
            // The code of a request to cancel (PostgreSQL manual, "Message Formats", CancelRequest).
            guard start.payload.prefix(4) != ScriptedSession.int32(80_877_102)[...] else {
                hasRequest.set()
                return session.stall()
            }
            try session.letIn()
            try session.receive(until: ["Q"])
            hasQuery.set()
            while !hasRequest.isSet { sched_yield() }
            try session.send("C", ScriptedSession.string("INSERT 0 1"))
            try session.sendReady()
            session.stall()
        }
        var configuration = server.configuration
        configuration.cancelBudget = .milliseconds(100)
        let client = PGClient(configuration, logger: quietLogger)
        let (result, _) = try await self.cancelled(when: { hasQuery.isSet }) {
            try await client.simpleQuery(unsafeSQL: "INSERT INTO t VALUES (1)")
        }
        #expect(try result.get().first?.affectedRows == 1)
    }

    @Test func aServerThatDoesNotAnswerARollbackHoldsACancelledTaskNoLongerThanTheBudget() async throws {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                var configuration = try proxy.configuration()
                configuration.cancelBudget = .milliseconds(200)
                let client = PGClient(configuration, logger: quietLogger)
                let isInside = Flag()
                let (result, time) = try await self.cancelled(
                    when: { isInside.isSet }
                ) {
                    try await client.withTransaction { _ in
                        proxy.freeze()
                        isInside.set()
                        while true { try await Task.sleep(for: .seconds(60)) }
                    }
                }
                self.expectCancelled(result)
                #expect(time < .seconds(10))
            }
        }
    }

    /// The signal of a cancelled query must not hit the next one on the connection.
    @Test func noLateCancelHitsAnotherQuery() async throws {
        // A busy machine may take longer over a cancellation than the usual budget, which would cost the connection.
        try await withClient({ ($0.pool.maximum, $0.cancelBudget) = (1, .seconds(60)) }) { client in
            for round in 0..<300 {
                await withTaskGroup { group in
                    group.addTask { _ = try? await client.query("SELECT pg_sleep(0.0005)") }
                    for _ in 0..<(round % 7) { await Task.yield() }
                    group.cancelAll()
                }
                // Would throw 57014 if the signal came late.
                try await client.query("SELECT pg_sleep(0.0002)")
            }
            #expect(client.statistics.connectionsMade == 1)
        }
    }

    /// A caller that is cancelled at the very moment it is given a connection loses neither the connection nor the news.
    @Test func noConnectionIsLostWhenCallersAreCancelledAsTheyAreServed() async throws {
        try await withClient({ ($0.pool.maximum, $0.cancelBudget) = (2, .seconds(60)) }) { client in
            for round in 0..<200 {
                try await withThrowingTaskGroup { group in
                    for index in 0..<12 {
                        group.addTask {
                            do {
                                if index.isMultiple(of: 2) {
                                    try await client.query("SELECT 1")
                                } else {
                                    try await client.withConnection { try await $0.query("SELECT 2") }
                                }
                            } catch is CancellationError {}
                        }
                    }
                    for _ in 0..<(round % 40) { await Task.yield() }
                    group.cancelAll()
                    try await group.waitForAll()
                }
            }
            try await eventually("every connection is back") {
                client.statistics.leased == 0 && client.statistics.waiting == 0
            }
            #expect(client.statistics.connectionsLost == 0)
            // Both connections still serve.
            try await client.withConnection { _ in try await client.withConnection { try await $0.query("SELECT 3") } }
        }
    }
}
