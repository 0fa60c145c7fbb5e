import Dispatch
import PGTesting
import Testing

@testable import PGClient

/// A task whose stream never makes it wait lets others have its thread all the same: there may be no other.
@Suite struct CourtesyTests {
    @Test func aReaderLetsOthersHaveItsThread() async throws {
        try await self.besideAnother { turns in
            let inflow = Inflow<Int>()
            for number in 0..<100 {
                _ = inflow.append(number, size: 8)
                let before = turns.value
                let batch = try await inflow.take()
                #expect(batch.elements == [number])
                #expect(turns.value > before)
            }
        }
    }

    @Test func aWriterLetsOthersHaveItsThread() async throws {
        try await self.besideAnother { turns in
            let outflow = Outflow()
            outflow.start(isBinary: false)
            for _ in 0..<100 {
                _ = outflow.append([1, 2, 3])
                _ = outflow.next()
                let before = turns.value
                try await outflow.room()
                #expect(turns.value > before)
            }
        }
    }

    /// Between two chunks, of which a writer fills one with many rows.
    @Test func aCopyLetsOthersHaveItsThread() async throws {
        try await withClient { client in
            try await client.query("CREATE TABLE t (line text)")
            try await self.besideAnother { turns in
                let line = Array((String(repeating: "x", count: 1023) + "\n").utf8)
                var (longest, length, turn) = (0, 0, turns.value)
                let copied = try await client.copyIn("COPY t FROM STDIN") { writer in
                    for _ in 0..<4_000 {
                        try await writer.write(line)
                        length = turns.value == turn ? length + 1 : 0
                        turn = turns.value
                        longest = max(longest, length)
                    }
                }
                #expect(copied == 4_000)
                #expect(longest <= 64)
            }
        }
    }

    /// Runs `body` on a thread that it shares with one other task, which counts how often it has its turn.
    private func besideAnother(_ body: @escaping @Sendable (Counter) async throws -> Void) async throws {
        let (thread, turns) = (OneThread(), Counter())
        let other = Task(executorPreference: thread) {
            while !Task.isCancelled {
                turns.add(1)
                await Task.yield()
            }
        }
        let task = Task(executorPreference: thread) { try await body(turns) }
        let result = await task.result
        other.cancel()
        try result.get()
    }
}

/// One job after another, in the order in which they came.
private final class OneThread: TaskExecutor {
    private let queue = DispatchQueue(label: "one thread")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
