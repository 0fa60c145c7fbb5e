import ArgumentParser
import PGClient

/// Tasks that are cancelled while the server runs their query, one after another.
struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Running queries that are cancelled: the time until the task goes on, in µs.")

    @Option(help: "How many queries are cancelled.") var cancels = 50

    private static let running: PGQuery = """
        SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND state = 'active' AND query = 'SELECT pg_sleep(30)'
        """

    func run() async throws {
        let (client, observer) = (Bench.client(connections: 1), Bench.client(connections: 1))
        var times: [Double] = []
        var left = 0
        let measurement = Measurement()
        for _ in 0..<self.cancels {
            try await withThrowingTaskGroup { group in
                group.addTask { _ = try await client.query("SELECT pg_sleep(30)") }
                while try await observer.query(Self.running).isEmpty {}
                let start = ContinuousClock.now
                group.cancelAll()
                guard case .failure(let error)? = await group.nextResult(), error is CancellationError else {
                    throw BenchError.notCancelled
                }
                times.append(Bench.seconds(ContinuousClock.now - start) * 1e6)
            }
            left += try await observer.query(Self.running).count
        }
        times.sort()
        measurement.stop().report([
            "queries": Double(times.count), "p50": times[times.count / 2], "p99": times[times.count * 99 / 100],
            "max": times[times.count - 1], "left": Double(left),
            "lost": Double(client.statistics.connectionsLost),
        ])
    }
}
