import ArgumentParser
import PGClient
import PGTesting

/// The server is restarted under load.
struct RestartsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restarts", abstract: "Restarts a server and measures how soon queries succeed again.")

    @Option(help: "How often the server is restarted.") var restarts = 10

    /// From the moment when connections are accepted again.
    private static let longestRecovery = 1000.0

    func run() async throws {
        try await withTestCluster { cluster in
            var configuration = PGConfiguration(cluster.conninfo)
            configuration.pool.maximum = 8
            let client = PGClient(configuration, logger: Soak.logger)
            let load = Load(client, "SELECT 1")
            var recoveries: [Double] = []
            try await load.run {
                for _ in 0..<self.restarts {
                    try await load.serve(500)
                    load.expectOutage()
                    try await cluster.restart()
                    recoveries.append(await load.recover())
                }
                try await load.serve(500)
            }
            try Soak.conclude("restart", recoveries, longest: Self.longestRecovery, load.complaints)
        }
    }
}
