import Glibc
import Logging
import PGClient
import PGTesting
import Synchronization
import Testing

/// Tasks that prefer the thread of a pool.
@Suite struct TaskExecutorTests {
    @Test func tasksGoOnOnTheThreadOfThePool() async throws {
        let thread = NoticeThread()
        try await withClient({ $0.noticeHandler = { _ in thread.set() } }) { client in
            try await withTaskExecutorPreference(client.taskExecutor) {
                try await client.query("DO $$ BEGIN RAISE NOTICE 'this is the thread'; END $$")
                #expect(thread.isCurrent)
                try await withThrowingTaskGroup { group in
                    for number in 0..<64 {
                        group.addTask {
                            #expect(thread.isCurrent)
                            let rows = try await client.query("SELECT \(number)")
                            #expect(try rows.only?.decode(Int.self) == number)
                            #expect(thread.isCurrent)
                        }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(!thread.isCurrent)
        }
    }

    @Test func readsThatShareHaveAThreadOfTheirOwn() async throws {
        try await withClient { client in
            let leasing = await withTaskExecutorPreference(client.taskExecutor) { currentThread() }
            let sharing = await withTaskExecutorPreference(client.sharedReads.taskExecutor) { currentThread() }
            #expect(leasing != sharing)
            try await withTaskExecutorPreference(client.sharedReads.taskExecutor) {
                try await withThrowingTaskGroup { group in
                    for number in 0..<64 {
                        group.addTask {
                            let rows = try await client.sharedReads.query("SELECT \(number)")
                            #expect(try rows.only?.decode(Int.self) == number)
                            #expect(currentThread() == sharing)
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    /// Transactions, streams, COPY and errors, of more tasks than connections.
    @Test func everythingWorksOnTheThreadOfThePool() async throws {
        try await withClient({ $0.pool.maximum = 3 }) { client in
            try await client.query("CREATE TABLE numbers (n int PRIMARY KEY)")
            try await withTaskExecutorPreference(client.taskExecutor) {
                try await withThrowingTaskGroup { group in
                    for task in 0..<16 {
                        group.addTask {
                            try await client.withTransaction { transaction in
                                try await transaction.query("INSERT INTO numbers VALUES (\(task))")
                                await #expect(throws: PGError.self) {
                                    try await transaction.withTransaction {
                                        try await $0.query("INSERT INTO numbers VALUES (\(task))")
                                    }
                                }
                            }
                            let sum = try await client.withRows(of: "SELECT generate_series(1, 2000)") { rows in
                                var sum = 0
                                for try await row in rows { sum += try row.decode(Int.self) }
                                return sum
                            }
                            #expect(sum == 2_001_000)
                            let copied = try await client.copyIn("COPY numbers FROM STDIN") { writer in
                                for number in 1_000 * (task + 1)..<1_000 * (task + 1) + 100 {
                                    try await writer.write("\(number)\n".utf8)
                                }
                            }
                            #expect(copied == 100)
                        }
                    }
                    try await group.waitForAll()
                }
            }
            let count = try await client.query("SELECT count(*) FROM numbers").only?.decode(Int.self)
            #expect(count == 16 + 16 * 100)
        }
    }

    @Test func aTaskOnTheThreadOfThePoolIsCancelled() async throws {
        try await withClient { client in
            let task = Task(executorPreference: client.taskExecutor) {
                try await client.query("SELECT pg_sleep(60), 'to be cancelled'")
            }
            try await eventually { try await client.isRunning("to be cancelled") }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await eventually { try await !client.isRunning("to be cancelled") }
        }
    }

    /// The executor may outlive its pool, in tasks that have more to do.
    @Test func tasksGoOnWhenThePoolHasEnded() async throws {
        try await withTestDatabase { database in
            let client = PGClient(database.configuration, logger: quietLogger)
            let keeper = Task { await client.run() }
            try await client.query("SELECT 1")
            let error = await withTaskExecutorPreference(client.taskExecutor) {
                keeper.cancel()
                await keeper.value
                return await #expect(throws: PGError.self) { try await client.query("SELECT 1") }
            }
            #expect(error?.code == .poolClosed)
        }
    }

    /// No task is lost between the last turn of the thread and its end.
    @Test func noTaskIsLostWhenThePoolEnds() async throws {
        let finished = Counter()
        for _ in 0..<200 {
            await withDiscardingTaskGroup { group in
                // Nothing is ever connected. The last reference goes while the tasks change threads.
                let executor = PGClient(PGConfiguration(), logger: quietLogger).taskExecutor
                for _ in 0..<8 {
                    group.addTask(executorPreference: executor) {
                        for _ in 0..<4 { await Task.yield() }
                        finished.add(1)
                    }
                }
            }
        }
        #expect(finished.value == 200 * 8)
    }

    @Test func theLogTellsOfATaskThatKeepsTheThread() async throws {
        let log = LogCounter("tasks on the pool's thread kept it from its connections")
        try await withTestDatabase { database in
            let client = PGClient(database.configuration, logger: log.logger)
            await withTaskExecutorPreference(client.taskExecutor) {
                let end = ContinuousClock.now + .milliseconds(150)
                while .now < end {}
            }
            // Whoever comes next is served when the thread has looked at the clock.
            try await client.query("SELECT 1")
            #expect(log.count == 1)
        }
    }
}

private func currentThread() -> pthread_t { pthread_self() }

/// The thread that notices arrive on, which is the pool's.
private final class NoticeThread: Sendable {
    private let id = Mutex<pthread_t?>(nil)

    func set() { self.id.withLock { $0 = pthread_self() } }

    var isCurrent: Bool { self.id.withLock { $0 } == pthread_self() }
}
