import PGClient
import PGTesting
import Testing

@Suite struct FairnessTests {
    /// What a task waits is counted in the turns of others, which no busy machine makes longer.
    @Test func noTaskWaitsManyTimesLongerThanTheOthers() async throws {
        let turns = Turns()
        try await withClient({ $0.pool.maximum = 8 }) { client in
            try await withThrowingTaskGroup { group in
                for task in 0..<64 {
                    group.addTask {
                        for _ in 0..<60 {
                            if task.isMultiple(of: 2) {
                                try await client.query("SELECT pg_sleep(0.0005)")
                            } else {
                                try await client.withConnection { _ = try await $0.query("SELECT pg_sleep(0.0005)") }
                            }
                            await turns.append(task)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        let waits = await turns.waits.sorted()
        let (median, late, last) = (waits[waits.count / 2], waits[waits.count * 99 / 100], waits[waits.count - 1])
        #expect(late <= 20 * median, "the median waits for \(median) turns, one in a hundred for \(late)")
        #expect(last <= 30 * median, "the median waits for \(median) turns, the longest for \(last)")
    }
}

/// Who was served, in order.
private actor Turns {
    private var tasks: [Int] = []

    func append(_ task: Int) { self.tasks.append(task) }

    /// How many turns came between two of the same task.
    var waits: [Int] {
        var (last, waits) = ([Int: Int](), [Int]())
        for (index, task) in self.tasks.enumerated() {
            if let before = last.updateValue(index, forKey: task) { waits.append(index - before) }
        }
        return waits
    }
}
