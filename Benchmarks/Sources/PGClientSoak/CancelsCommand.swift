import ArgumentParser
import PGClient
import PGTesting
import Synchronization

/// Queries are cancelled as fast as the machine takes it, beside others that must not be hit.
struct CancelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancels", abstract: "Cancels running queries as fast as possible; no other may be hit.")

    @Option(help: "How many queries are cancelled.") var cancels = 20_000
    @Option(help: "How many tasks do so at a time.") var tasks = 16

    /// Milliseconds beyond its budget, for a busy machine.
    private static let tolerance = 100.0

    private final class Tally: Sendable {
        let count = Mutex(Count())
    }

    private struct Count {
        var begun = 0
        var cancelled = 0
        var finished = 0
        var innocent = 0
        var complaints: [String] = []
    }

    func run() async throws {
        try await withTestDatabase { database in
            var configuration = database.configuration
            configuration.applicationName = "soak"
            configuration.pool.maximum = 8
            configuration.pool.acquireTimeout = .seconds(60)
            let client = PGClient(configuration, logger: Soak.logger)
            let direct = PGClient(database.configuration, logger: Soak.logger)
            let tally = Tally()
            let start = ContinuousClock.now
            var mostSessions = 0
            try await withThrowingTaskGroup { group in
                for _ in 0..<self.tasks {
                    group.addTask { await self.cancel(client, tally) }
                    group.addTask { await self.ask(client, tally) }
                }
                while tally.count.withLock({ $0.cancelled + $0.finished < self.cancels && $0.complaints.isEmpty }) {
                    let sessions = try await direct.query(
                        "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'soak' AND datname = current_database()"
                    )
                    mostSessions = max(mostSessions, try sessions.only?.decode("n") ?? 0)
                    try await Task.sleep(for: .milliseconds(50))
                }
                try await group.waitForAll()
            }
            let seconds = milliseconds(ContinuousClock.now - start) / 1e3
            let result = tally.count.withLock { $0 }
            print(
                "     \(result.cancelled) cancelled and \(result.finished) ended before, \(rounded(Double(result.cancelled) / seconds)) a second;",
                "\(result.innocent) other queries answered; at most \(mostSessions) sessions")
            var complaints = result.complaints
            // A connection that could not be cleaned in time may still be going when its successor is there.
            if mostSessions > 2 * configuration.pool.maximum { complaints.append("\(mostSessions) sessions at a time") }
            if try await !Soak.eventually({ client.statistics.leased == 0 }) {
                complaints.append("connections are on loan")
            }
            complaints += try await self.cancelWhileSilent(database)
            try Soak.conclude(complaints)
        }
    }

    /// A task whose server has fallen silent goes on when its budget is used up, and the query ends when the server is back.
    private func cancelWhileSilent(_ database: TestDatabase) async throws -> [String] {
        try await withFaultProxy(to: database.configuration) { proxy in
            let configuration = try proxy.configuration()
            let client = PGClient(configuration, logger: Soak.logger)
            let direct = PGClient(database.configuration, logger: Soak.logger)
            func isRunning() async throws -> Bool {
                try await !direct.query(
                    """
                    SELECT 1 FROM pg_stat_activity
                    WHERE datname = current_database() AND state = 'active' AND query = 'SELECT pg_sleep(25)'
                    """
                ).isEmpty
            }
            var times: [Double] = []
            var complaints: [String] = []
            for _ in 0..<5 {
                try await withThrowingTaskGroup { group in
                    group.addTask { _ = try await client.query("SELECT pg_sleep(25)") }
                    if try await !Soak.eventually(isRunning) { complaints.append("the query does not run") }
                    proxy.freeze()
                    let start = ContinuousClock.now
                    group.cancelAll()
                    _ = await group.nextResult()
                    times.append(milliseconds(ContinuousClock.now - start))
                }
                proxy.thaw()
                if try await !Soak.eventually({ try await !isRunning() }) { complaints.append("the query runs on") }
            }
            let budget = milliseconds(configuration.cancelBudget)
            print(
                "     while the server is silent a cancelled task goes on after \(times.map(rounded).joined(separator: ", ")) ms,",
                "target <= \(rounded(budget + Self.tolerance)) ms")
            let slow = times.filter { $0 > budget + Self.tolerance }.map { "a cancelled task waited \(rounded($0)) ms" }
            return complaints + slow
        }
    }

    private func cancel(_ client: PGClient, _ tally: Tally) async {
        while self.goesOn(tally, counting: true) {
            do {
                try await withThrowingTaskGroup { group in
                    group.addTask { _ = try await client.query("SELECT pg_sleep(10)") }
                    try await Task.sleep(for: .microseconds(Int.random(in: 0...3000)))
                    group.cancelAll()
                    try await group.waitForAll()
                }
                tally.count.withLock { $0.finished += 1 }
            } catch is CancellationError {
                tally.count.withLock { $0.cancelled += 1 }
            } catch {
                tally.count.withLock { $0.complaints.append("a cancelled query failed: \(String(reflecting: error))") }
            }
        }
    }

    private func ask(_ client: PGClient, _ tally: Tally) async {
        while self.goesOn(tally, counting: false) {
            do {
                let n = Int.random(in: 0..<1000)
                let answer = try await client.query("SELECT \(n) AS n").only?.decode("n", as: Int.self)
                tally.count.withLock { count in
                    count.innocent += 1
                    if answer != n { count.complaints.append("asked for \(n), answered \(String(describing: answer))") }
                }
            } catch {
                tally.count.withLock { $0.complaints.append("an innocent query failed: \(String(reflecting: error))") }
            }
        }
    }

    private func goesOn(_ tally: Tally, counting: Bool) -> Bool {
        tally.count.withLock { count in
            guard count.complaints.isEmpty, count.begun < self.cancels else { return false }
            if counting { count.begun += 1 }
            return true
        }
    }
}
