import PGTesting
import Testing

@testable import PGClient

@Suite struct PoolFaultTests {
    /// A task that holds the only connection and asks for another would wait for itself.
    @Test func aTaskThatNeedsTwoConnectionsOfOneIsToldWhoHasIt() async throws {
        try await withClient({ ($0.pool.maximum, $0.pool.acquireTimeout) = (1, .milliseconds(100)) }) { client in
            try await eventually { (try? await client.query("SELECT 1")) != nil }
            let error = await #expect(throws: PGError.self) {
                try await client.withConnection { _ in
                    try await client.withTransaction { try await $0.query("SELECT 1") }
                }
            }
            #expect(error?.code == .acquireTimeout)
            #expect(error?.message.contains("(PGClientTests/PoolFaultTests.swift:") == true)
            try await client.query("SELECT 1")
        }
    }

    @Test func tasksThatEachNeedTwoConnectionsDoNotHoldEachOtherForEver() async throws {
        try await withClient({ ($0.pool.maximum, $0.pool.acquireTimeout) = (3, .milliseconds(200)) }) { client in
            await withTaskGroup { group in
                for _ in 0..<6 {
                    group.addTask {
                        _ = try? await client.withConnection { _ in
                            try await client.withConnection { try await $0.query("SELECT 1") }
                        }
                    }
                }
            }
            try await eventually("every connection is back") { client.statistics.leased == 0 }
        }
    }

    @Test func theErrorShowsWhatTheHolderRunsWithoutItsValues() async throws {
        try await withClient({ ($0.pool.maximum, $0.pool.acquireTimeout) = (1, .milliseconds(100)) }) { client in
            try await eventually { (try? await client.query("SELECT 1")) != nil }
            try await withThrowingTaskGroup { group in
                group.addTask {
                    try await client.withConnection {
                        _ = try await $0.simpleQuery(unsafeSQL: "SELECT pg_sleep(41), 'secret'")
                    }
                }
                try await eventually { client.statistics.leased == 1 }
                try await eventually {
                    let error = await #expect(throws: PGError.self) { try await client.query("SELECT 1") }
                    return error?.message.contains("running SELECT pg_sleep(?), ? for") == true
                }
                group.cancelAll()
                try? await group.waitForAll()
            }
        }
    }

    /// A pool whose one connection, which has nothing to do, is asked for an answer whenever somebody wants it.
    private func withCheckedConnection(
        pingTimeout: Duration, _ change: (inout PGPoolConfiguration) -> Void = { _ in },
        _ body: (PGClient, FaultProxy) async throws -> Void
    ) async throws {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                var configuration = try proxy.configuration()
                configuration.pool.maximum = 1
                configuration.pool.pingAfterIdle = .zero
                configuration.pool.pingTimeout = pingTimeout
                change(&configuration.pool)
                let client = PGClient(configuration, logger: quietLogger)
                try await client.query("SELECT 1")
                try await body(client, proxy)
            }
        }
    }

    @Test func aConnectionWhoseServerFellSilentWhileIdleIsReplacedBeforeItIsHandedOver() async throws {
        try await self.withCheckedConnection(
            pingTimeout: .milliseconds(100), { $0.acquireTimeout = .seconds(60) }
        ) { client, proxy in
            proxy.freeze()
            try await withThrowingTaskGroup { group in
                group.addTask {
                    let rows = try await client.query("SELECT 1")
                    #expect(rows.count == 1)
                }
                group.addTask {
                    let rows = try await client.withConnection { try await $0.query("SELECT 1") }
                    #expect(rows.count == 1)
                }
                try await eventually { client.statistics.connectionsLost == 1 }
                proxy.thaw()
                try await group.waitForAll()
            }
        }
    }

    @Test func aCallerWhoseConnectionIsBeingCheckedCanBeCancelled() async throws {
        try await self.withCheckedConnection(pingTimeout: .seconds(60)) { client, proxy in
            for isLease in [true, false] {
                try await client.query("SELECT 1")
                proxy.freeze()
                try await withThrowingTaskGroup { group in
                    group.addTask {
                        await #expect(throws: CancellationError.self) {
                            if isLease {
                                try await client.withConnection { _ in }
                            } else {
                                try await client.query("SELECT 1")
                            }
                        }
                    }
                    try await eventually { client.statistics.leased == 1 }
                    group.cancelAll()
                    try await group.waitForAll()
                }
                proxy.thaw()
            }
            try await client.query("SELECT 1")
            #expect(client.statistics.connectionsLost == 0)
        }
    }

    @Test(arguments: [true, false])
    func aCallerWhoseConnectionIsBeingCheckedWhenThePoolEndsIsTold(isLease: Bool) async throws {
        try await self.withCheckedConnection(pingTimeout: .seconds(60), { $0.drainTimeout = .zero }) { client, proxy in
            proxy.freeze()
            try await withThrowingTaskGroup { group in
                group.addTask {
                    let error = await #expect(throws: PGError.self) {
                        if isLease {
                            try await client.withConnection { _ in }
                        } else {
                            try await client.query("SELECT 1")
                        }
                    }
                    #expect(error?.code == .poolClosed)
                }
                try await eventually { client.statistics.leased == 1 }
                await withTaskGroup { inner in
                    inner.addTask { await client.run() }
                    inner.cancelAll()
                }
                try await group.waitForAll()
            }
        }
    }

    /// A thread that polls a dead socket again and again takes a whole processor.
    @Test func theLoopSleepsOverDeadConnections() async throws {
        try await withTestDatabase { database in
            let clock = PGClient(database.configuration, logger: quietLogger)
            try await withFaultProxy(to: database.configuration) { proxy in
                let client = PGClient(try proxy.configuration(), logger: quietLogger)
                try await client.withConnection { connection in
                    try await connection.withRows(of: "SELECT generate_series(1, 1000000), repeat('x', 1000)") { rows in
                        var iterator = rows.makeAsyncIterator()
                        _ = try await iterator.next()
                        // It is held back, and dies.
                        proxy.close()
                        proxy.reset()
                        try await self.expectSleep(client, clock)
                        try await #require(throws: PGError.self) { while try await iterator.next() != nil {} }
                    }
                    try await self.expectSleep(client, clock)
                }
                try await self.expectSleep(client, clock)
            }
        }
    }

    /// The loop makes few turns in the time that the server takes for a sleep.
    private func expectSleep(
        _ client: PGClient, _ clock: PGClient, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let before = client.turns
        try await clock.query("SELECT pg_sleep(0.2)")
        #expect(client.turns - before < 100, sourceLocation: sourceLocation)
    }

    /// As long as the process can open no more files, and no longer.
    @Test func aPoolWithoutFileDescriptorsIsNoEndOfTheProcess() async throws {
        try await withTestDatabase { database in
            let isOver = Flag()
            let driver = PoolDriver(database.configuration, logger: quietLogger, failsOnFirstError: false)
            let loop = IOLoop(driver) { () throws(PGError) in
                guard isOver.isSet else { throw PGError(.connection, message: "no file descriptor is left") }
                return try WakePipe()
            }
            let refused = try Job.statement("SELECT 1")
            await loop.run(refused)
            #expect((refused.error as? PGError)?.code == .connection)
            let error = await #expect(throws: PGError.self) {
                try await PGConnection.with(loop, for: .listener) { try await $0.query("SELECT 1") }
            }
            #expect(error?.code == .connection)
            // A task that prefers the loop goes on elsewhere.
            #expect(await withTaskExecutorPreference(loop) { true })

            isOver.set()
            let served = try Job.statement("SELECT \(2)")
            await loop.run(served)
            let number = try served.rows().only?.decode(Int.self)
            #expect(number == 2)
            await loop.drain()
            let late = try Job.statement("SELECT 3")
            await loop.run(late)
            #expect((late.error as? PGError)?.code == .poolClosed)
        }
    }
}
