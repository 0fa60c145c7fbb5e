import ArgumentParser
import PGClient
import PGTesting

/// The server goes away and comes back under load.
struct RestartsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restarts",
        abstract: "Cuts every connection, refuses new ones, and measures how soon queries succeed again.")

    @Option(help: "How often the server goes.") var restarts = 10
    @Option(help: "How long it is away, in milliseconds.") var away = 500

    /// From the moment when connections are accepted again.
    private static let longestRecovery = 1000.0

    func run() async throws {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                var configuration = try proxy.configuration()
                configuration.pool.maximum = 8
                let client = PGClient(configuration, logger: Soak.logger)
                var recoveries: [Double] = []
                let ledger = Ledger()
                try await withThrowingTaskGroup { group in
                    for _ in 0..<16 {
                        group.addTask { while !ledger.isClosed { _ = try? await client.query("SELECT 1") } }
                    }
                    for _ in 0..<self.restarts {
                        try await Task.sleep(for: .milliseconds(300))
                        proxy.close()
                        proxy.reset()
                        try await Task.sleep(for: .milliseconds(self.away))
                        try proxy.listen()
                        let start = ContinuousClock.now
                        while (try? await client.query("SELECT 1")) == nil { await Task.yield() }
                        recoveries.append(milliseconds(ContinuousClock.now - start))
                        // Those that the pool has now are whole.
                        for _ in 0..<20 { try await client.query("SELECT 1") }
                    }
                    ledger.close()
                    try await group.waitForAll()
                }
                let longest = recoveries.max() ?? 0
                print("     first success after \(recoveries.map(rounded).joined(separator: ", ")) ms")
                try Soak.conclude(longest > Self.longestRecovery ? ["it took \(rounded(longest)) ms to recover"] : [])
            }
        }
    }
}
