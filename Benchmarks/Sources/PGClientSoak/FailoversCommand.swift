import ArgumentParser
import PGClient
import PGTesting

/// The primary dies under load, and its standby takes over.
struct FailoversCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failovers",
        abstract: "Crashes a primary, promotes its standby, and measures how soon writes succeed again.")

    @Option(help: "How often that happens, each time with two new servers.") var failovers = 3

    /// From the moment when the standby has been promoted.
    private static let longestRecovery = 2000.0

    func run() async throws {
        var recoveries: [Double] = []
        var complaints: [String] = []
        for _ in 0..<self.failovers {
            try await withTestCluster { primary in
                let standby = try await primary.standby()
                do {
                    let load = try await self.load(on: [primary, standby])
                    try await load.run {
                        try await load.serve(500)
                        load.expectOutage()
                        try await primary.stop(.immediate)
                        try await standby.promote()
                        recoveries.append(await load.recover())
                        try await load.serve(500)
                    }
                    complaints += load.complaints
                } catch {
                    try? await standby.remove()
                    throw error
                }
                try await standby.remove()
            }
        }
        try Soak.conclude("promotion", recoveries, longest: Self.longestRecovery, complaints)
    }

    private func load(on servers: [TestCluster]) async throws -> Load {
        var configuration = PGConfiguration(servers.conninfo(target: "read-write"))
        configuration.pool.maximum = 8
        let client = PGClient(configuration, logger: Soak.logger)
        try await client.execute("CREATE TABLE t (x int)")
        return Load(client, "INSERT INTO t VALUES (1)")
    }
}
