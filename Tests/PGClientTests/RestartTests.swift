import PGClient
import PGTesting
import Testing

@Suite struct RestartTests {
    @Test func queriesSucceedSoonAfterARestartAndNoDeadConnectionIsHandedOut() async throws {
        try await withTestCluster { cluster in
            var configuration = PGConfiguration(cluster.conninfo)
            configuration.pool.maximum = 8
            configuration.waitForConnections(atMost: .seconds(60))
            let client = PGClient(configuration, logger: quietLogger)
            /// Counted up whenever the server goes or comes; even while it is there.
            let changes = Counter()
            let served = Counter()
            try await withThrowingTaskGroup { group in
                for _ in 0..<16 {
                    group.addTask {
                        while !Task.isCancelled {
                            let before = changes.value
                            do {
                                try await client.query("SELECT 1")
                                served.add(1)
                            } catch let error as PGError {
                                #expect(error.code == .connection, "\(String(reflecting: error))")
                                let isDead = before.isMultiple(of: 2) && changes.value == before
                                #expect(!isDead, "\(String(reflecting: error))")
                            } catch {
                                #expect(error is CancellationError)
                            }
                        }
                    }
                }
                for _ in 0..<3 {
                    try await self.wait(for: 200, more: served)
                    changes.add(1)
                    try await cluster.restart()
                    let start = ContinuousClock.now
                    while (try? await client.query("SELECT 1")) == nil { await Task.yield() }
                    #expect(ContinuousClock.now - start < .seconds(10))
                    changes.add(1)
                }
                try await self.wait(for: 200, more: served)
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    private func wait(for count: Int, more served: Counter) async throws {
        let before = served.value
        try await eventually { served.value >= before + count }
    }
}
