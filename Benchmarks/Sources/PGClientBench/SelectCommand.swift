import ArgumentParser
import PGClient

/// Tasks that read an account at a time, chosen at random, one after another.
struct SelectCommand: AsyncParsableCommand {
    enum Way: String, ExpressibleByArgument, CaseIterable {
        case leased
        case shared
    }

    enum What: String, ExpressibleByArgument, CaseIterable {
        case account
        /// The number that was sent, with no table behind it.
        case number
        /// Nothing, after a millisecond in which the server sleeps.
        case pause
    }

    static let configuration = CommandConfiguration(
        commandName: "select", abstract: "Single rows by an index: queries, seconds, and the latency of one in µs.")

    @Option(help: "What is read: an account, just the number that was sent, or nothing after a pause of a millisecond.")
    var what = What.account

    @Option(help: "How many tasks ask at a time.") var tasks = 1
    @Option(help: "How many connections the pool has.") var connections = 8
    @Option(help: "How long, in seconds.") var seconds = 2.0
    @Option(help: "How many queries each task asks, however long that takes.") var queries: Int?
    @Option(help: "How many accounts the table holds.") var accounts = 1_000_000
    @Option(help: "Whether a query has its connection for itself or shares it.") var way = Way.leased

    @Flag(help: "Run the tasks on the thread of the connections.") var inPool = false

    func run() async throws {
        let client = Bench.client(connections: self.connections, tasks: self.tasks)
        let database: any PGQuerying = self.way == .shared ? client.sharedReads : client
        try await self.warmUp(database)
        let pool = self.way == .shared ? client.sharedReads.taskExecutor : client.taskExecutor
        let measurement = Measurement()
        let end = ContinuousClock.now + .seconds(self.seconds)
        let latencies = try await withThrowingTaskGroup(of: [UInt32].self) { group in
            for _ in 0..<self.tasks {
                // No preference is cheaper than one of nil, which the runtime asks for each time that the task goes on.
                if self.inPool {
                    group.addTask(executorPreference: pool) { try await self.ask(database, until: end) }
                } else {
                    group.addTask { try await self.ask(database, until: end) }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let outcome = measurement.stop()
        let sorted = latencies.sorted()
        func percentile(_ part: Double) -> Double { Double(sorted[Int(part * Double(sorted.count - 1))]) / 1000 }
        outcome.report([
            "queries": Double(latencies.count),
            "p50": percentile(0.5), "p99": percentile(0.99), "max": percentile(1),
        ])
    }

    /// Nanoseconds that each query took.
    private func ask(_ database: any PGQuerying, until end: ContinuousClock.Instant) async throws -> [UInt32] {
        var random = Xorshift(seed: .random(in: 1 ... .max))
        let (what, accounts, queries) = (self.what, self.accounts, self.queries)  // an option is looked up by its name
        var latencies: [UInt32] = []
        latencies.reserveCapacity(1 << 16)
        var now = ContinuousClock.now
        repeat {
            try await what.ask(database, Int.random(in: 0..<accounts, using: &random))
            let then = ContinuousClock.now
            latencies.append(UInt32(clamping: (then - now).components.attoseconds / 1_000_000_000))
            now = then
        } while queries.map { latencies.count < $0 } ?? (now < end)
        return latencies
    }

    /// Every connection is made and has the statement prepared.
    private func warmUp(_ database: any PGQuerying) async throws {
        let what = self.what
        try await withThrowingTaskGroup { group in
            for _ in 0..<4 * self.connections {
                group.addTask {
                    for number in 0..<20 { try await what.ask(database, number) }
                }
            }
            try await group.waitForAll()
        }
    }
}

extension SelectCommand.What {
    /// One query. Throws when the answer belongs to another.
    fileprivate func ask(_ database: any PGQuerying, _ number: Int) async throws {
        switch self {
        case .account:
            let account = Account(number: number)
            guard try await account.load(database).username == account.username else { throw BenchError.wrongRow }
        case .number:
            let rows = try await database.query("SELECT \(Int32(number))::int AS n")
            guard try rows.only?.decode("n", as: Int.self) == number else { throw BenchError.wrongRow }
        case .pause:
            try await database.query("SELECT pg_sleep(0.001)")
        }
    }
}

/// Marsaglia's generator; the system's costs a system call, which the peers do without.
struct Xorshift: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state ^= self.state << 13
        self.state ^= self.state >> 7
        self.state ^= self.state << 17
        return self.state
    }
}

/// The row that is read; `pgclient.py` makes the table, and has the same statement for pgbench.
struct Account {
    let username: String
    let domain: String

    init(number: Int) {
        self.username = String(number)
        self.domain = String(number % 100)
    }

    func load(_ database: any PGQuerying) async throws -> AccountRow {
        let rows = try await database.query(
            """
            SELECT id, username, domain, activated, ha1 FROM accounts
            WHERE username = \(self.username) AND domain = \(self.domain)
            """
        )
        guard let row = rows.only else { throw BenchError.wrongRow }
        return try AccountRow(row)
    }
}

struct AccountRow {
    let id: Int64
    let username: String
    let domain: String
    let activated: Bool
    let ha1: String

    init(_ row: PGRow) throws {
        (self.id, self.username, self.domain, self.activated, self.ha1) = try row.decode()
    }
}

enum BenchError: Error {
    case noFile
    /// The database answered something else than was asked for.
    case wrongRow
    /// A query ended otherwise than by its cancellation.
    case notCancelled
}
