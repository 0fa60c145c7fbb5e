import Foundation
import PGTesting
import Synchronization
import Testing

@testable import PGClient

/// How tasks are resumed in a process that has one processor.
@Suite struct ResumerTests {
    @Test func thoseWhoWaitAreResumedByATask() async throws {
        let (executor, resumer) = try await Self.waitingResumer()
        let resumed = Counter()
        let requests = try await waiters(5, resumed)
        resumer.resume(requests)
        #expect(executor.jobs == 1)
        executor.run()
        try await eventually { resumed.value == 5 }
        resumer.stop()
        executor.run()
    }

    /// When the threads are busy nobody waits for them twice.
    @Test func thoseWhoWaitAreNotLeftToATaskThatDoesNotCome() async throws {
        let (executor, resumer) = try await Self.waitingResumer()
        let resumed = Counter()
        let first = try await waiters(5, resumed)
        let second = try await waiters(3, resumed)
        let third = try await waiters(2, resumed)
        resumer.resume(first)
        resumer.resume(second)
        try await eventually { resumed.value == 8 }
        resumer.resume(third)
        try await eventually { resumed.value == 10 }
        // It comes in the end, and there is nothing left to do.
        #expect(executor.jobs == 1)
        executor.run()
        #expect(resumed.value == 10)
        let fourth = try await waiters(2, resumed)
        resumer.resume(fourth)
        #expect(executor.jobs == 1)
        executor.run()
        try await eventually { resumed.value == 12 }
        resumer.stop()
        executor.run()
    }

    @Test func oneAloneIsResumedAtOnce() async throws {
        let (executor, resumer) = try await Self.waitingResumer()
        let resumed = Counter()
        resumer.resume(try await waiters(1, resumed))
        try await eventually { resumed.value == 1 }
        #expect(executor.jobs == 0)
        resumer.stop()
        executor.run()
    }

    @Test func nobodyIsForgottenAtTheEnd() async throws {
        let (executor, resumer) = try await Self.waitingResumer()
        let resumed = Counter()
        let (late, later) = (try await waiters(5, resumed), try await waiters(3, resumed))
        resumer.resume(late)
        resumer.stop()
        try await eventually { resumed.value == 5 }
        resumer.resume(later)
        try await eventually { resumed.value == 8 }
        executor.run()
        #expect(resumed.value == 8)
    }

    @Test(arguments: [false, true]) func theTaskEnds(whileItIsUnderWay: Bool) async throws {
        weak var ended: Resumer?
        let resumed = Counter()
        do {
            let (executor, resumer) = try await Self.waitingResumer()
            ended = resumer
            if whileItIsUnderWay { resumer.resume(try await waiters(2, resumed)) }
            resumer.stop()
            executor.run()
        }
        try await eventually { ended == nil }
        try await eventually { resumed.value == (whileItIsUnderWay ? 2 : 0) }
    }

    /// The loop hands over what it has while the task comes and goes, and ends at any time.
    @Test func everybodyIsResumedOnce() async throws {
        for round in 0..<200 {
            let (resumer, resumed) = (Resumer(), Counter())
            var batches: [[PoolRequest]] = []
            for size in 0..<8 { batches.append(try await waiters(size, resumed)) }
            for (index, batch) in batches.enumerated() {
                if index == round % 9 { resumer.stop() }
                resumer.resume(batch)
                if index.isMultiple(of: 2) { await Task.yield() }
            }
            resumer.stop()
            // A continuation that is resumed twice ends the process.
            try await eventually { resumed.value == 28 }
            guard resumed.value == 28 else { break }
        }
    }

    /// Everything that a pool lends, with more tasks than connections, and the end of the pool in the middle.
    @Test func aPoolThatHasOneServesItsTasks() async throws {
        try await withTestDatabase { database in
            var configuration = database.configuration
            configuration.pool.maximum = 4
            weak var ended: Resumer?
            do {
                let resumer = Resumer()
                ended = resumer
                let loop = IOLoop(
                    PoolDriver(configuration, logger: quietLogger, failsOnFirstError: false, resumer: resumer))
                try await withThrowingTaskGroup { group in
                    for task in 0..<64 {
                        group.addTask(executorPreference: task.isMultiple(of: 8) ? loop : nil) {
                            for number in 0..<20 {
                                let job = try Job.statement("SELECT \(20 * task + number)")
                                await loop.run(job)
                                #expect(try job.rows().only?.decode(Int.self) == 20 * task + number)
                                let rows = try await PGConnection.with(loop, for: .listener) {
                                    try await $0.query("SELECT \(number)")
                                }
                                #expect(try rows.only?.decode(Int.self) == number)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let (served, refused) = (Counter(), Counter())
                try await withThrowingTaskGroup { group in
                    for _ in 0..<64 {
                        group.addTask {
                            while true {
                                let job = try Job.statement("SELECT 1")
                                await loop.run(job)
                                guard job.error == nil else { return refused.add(1) }
                                served.add(1)
                            }
                        }
                    }
                    try await eventually { served.value > 500 }
                    await loop.drain()
                    try await group.waitForAll()
                }
                #expect(refused.value == 64)
            }
            try await eventually { ended == nil }
        }
    }

    @Test func tasksOfALoopDoWithoutIt() async throws {
        try await withTestDatabase { database in
            let executor = HeldExecutor()
            let loop = IOLoop(
                PoolDriver(
                    database.configuration, logger: quietLogger, failsOnFirstError: false,
                    resumer: Resumer(on: executor)))
            try await withThrowingTaskGroup { group in
                for number in 0..<64 {
                    group.addTask(executorPreference: loop) {
                        for _ in 0..<10 {
                            let job = try Job.statement("SELECT \(number)")
                            await loop.run(job)
                            #expect(try job.rows().only?.decode(Int.self) == number)
                            _ = try await PGConnection.with(loop, for: .listener) { try await $0.query("SELECT 1") }
                        }
                    }
                }
                try await group.waitForAll()
            }
            await loop.drain()
            #expect(executor.jobs == 0)
        }
    }

    /// As the kernel tells it.
    @Test func itIsForOneProcessor() throws {
        let status = try String(contentsOfFile: "/proc/thread-self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") })
        let mask = try #require(line.split(separator: "\t").last)
        let processors = mask.reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
        #expect(Resumer.isWorthwhile == (processors == 1))
    }

    /// A resumer whose task runs only when the test says so, and waits for work.
    private static func waitingResumer() async throws -> (HeldExecutor, Resumer) {
        let executor = HeldExecutor()
        let resumer = Resumer(on: executor)
        let resumed = Counter()
        // The first are resumed at once, while the task starts.
        resumer.resume(try await waiters(2, resumed))
        try await eventually { resumed.value == 2 }
        #expect(executor.jobs == 1)
        executor.run()
        return (executor, resumer)
    }
}

/// So many tasks that wait to be resumed, and then count themselves.
private func waiters(_ count: Int, _ resumed: Counter) async throws -> [PoolRequest] {
    let requests = Locked<[PoolRequest]>([])
    for _ in 0..<count {
        Task {
            let request = LeaseRequest(.listener)
            await withUnsafeContinuation { continuation in
                request.continuation = continuation
                requests.withLock { $0.append(.lease(request)) }
            }
            request.handover.take()
            resumed.add(1)
        }
    }
    try await eventually { requests.withLock(\.count) == count }
    return requests.withLock { $0 }
}

/// Keeps its jobs until it is told to run them, on the caller's thread.
private final class HeldExecutor: TaskExecutor {
    private let held = Mutex<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.held.withLock { $0.append(job) }
    }

    var jobs: Int { self.held.withLock(\.count) }

    func run() {
        let jobs = self.held.withLock { held in
            defer { held = [] }
            return held
        }
        for job in jobs { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
