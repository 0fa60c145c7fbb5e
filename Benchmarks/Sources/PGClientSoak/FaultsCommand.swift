import ArgumentParser
import PGClient
import PGTesting

/// Many tasks write and read, and are cancelled, while backends are killed and the way to the server freezes and breaks.
struct FaultsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "faults", abstract: "Kills, freezes, resets and cancels; a ledger shows what was lost or doubled.")

    @Option(help: "How many faults there are.") var rounds = 1000
    @Option(help: "How many tasks work at a time.") var tasks = 64

    /// What a client may grow by, from a fifth of the rounds on.
    private static let allowedGrowth = 16.0
    /// No operation may take longer, whatever happens: the time for a connection, and what a statement may take.
    private static let longestOperation = Duration.seconds(25)

    func run() async throws {
        try await withTestDatabase { database in
            let direct = PGClient(database.configuration, logger: Soak.logger)
            try await direct.execute("CREATE TABLE ledger (task int, step int, part int)")
            let ledger = Ledger()
            var complaints: [String] = []
            try await withFaultProxy(to: database.configuration) { proxy in
                let client = try self.client(proxy)
                complaints += try await self.work(client, direct, proxy, ledger)
                complaints += try await self.settle(client, direct)
            }
            complaints += try await ledger.check(direct)
            try Soak.conclude(complaints)
        }
    }

    private func client(_ proxy: FaultProxy) throws -> PGClient {
        var configuration = try proxy.configuration()
        configuration.applicationName = "soak"
        configuration.pool.maximum = 8
        configuration.pool.acquireTimeout = .seconds(10)
        configuration.sharing.connections = 2
        configuration.statementTimeout = .seconds(10)
        configuration.connectTimeout = .seconds(3)
        return PGClient(configuration, logger: Soak.logger)
    }

    private func work(
        _ client: PGClient, _ direct: PGClient, _ proxy: FaultProxy, _ ledger: Ledger
    ) async throws -> [String] {
        let workers = (0..<self.tasks).map { Worker(number: $0, client: client, ledger: ledger) }
        var complaints: [String] = []
        try await withThrowingTaskGroup { group in
            // A third on the threads that all share, the others on those of the connections.
            let places = [nil, client.taskExecutor, client.sharedReads.taskExecutor]
            for worker in workers {
                group.addTask(executorPreference: places[worker.number % places.count]) { await worker.run() }
            }
            var before = Double.nan
            for round in 0..<self.rounds {
                if round == self.rounds / 5 { before = Soak.residentMegabytes() }
                try await Fault.random().strike(proxy, direct)
                if (round + 1).isMultiple(of: 100) {
                    print("     \(round + 1) faults, \(ledger.summary), \(rounded(Soak.residentMegabytes())) MB")
                }
            }
            ledger.close()
            try await group.waitForAll()
            let growth = Soak.residentMegabytes() - before
            print("     memory grew by \(rounded(growth)) MB, the longest operation took \(ledger.longest)")
            if growth > Self.allowedGrowth { complaints.append("memory grew by \(rounded(growth)) MB") }
            if ledger.longest > Self.longestOperation { complaints.append("an operation took \(ledger.longest)") }
        }
        return complaints
    }

    /// Nothing is on loan once nobody works, and the server has no session that the pool does not know of.
    private func settle(_ client: PGClient, _ direct: PGClient) async throws -> [String] {
        var complaints: [String] = []
        func expect(_ what: String, _ condition: () async throws -> Bool) async throws {
            if try await !Soak.eventually(condition) { complaints.append(what) }
        }
        try await expect("connections are still on loan: \(client.statistics)") { client.statistics.leased == 0 }
        try await expect("shared connections are still busy: \(client.sharedReads.statistics)") {
            client.sharedReads.statistics.leased == 0
        }
        try await expect("the server has sessions that the pool does not know of") {
            let known = client.statistics.idle + client.sharedReads.statistics.idle
            let sessions = try await direct.query(
                "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'soak' AND datname = current_database()"
            )
            return try sessions.only?.decode("n", as: Int.self) == known
        }
        let statistics = client.statistics
        print(
            "     \(statistics.connectionsMade) connections made, \(statistics.connectionsLost) lost, \(statistics.acquired) leases"
        )
        return complaints
    }
}

enum Fault {
    case kill
    case freeze(Duration)
    case reset
    case refuse(Duration)

    static func random() -> Fault {
        switch Int.random(in: 0..<20) {
        case 0..<9: .kill
        case 9..<14: .freeze(.milliseconds(Int.random(in: 20...300)))
        // Longer than a cancelled task waits for the server.
        case 14: .freeze(.milliseconds(1500))
        case 15..<18: .reset
        default: .refuse(.milliseconds(Int.random(in: 20...200)))
        }
    }

    func strike(_ proxy: FaultProxy, _ direct: PGClient) async throws {
        switch self {
        case .kill:
            try await direct.query(
                """
                SELECT pg_terminate_backend(pid) FROM (
                    SELECT pid FROM pg_stat_activity WHERE application_name = 'soak' AND datname = current_database()
                    ORDER BY random() LIMIT 1
                ) AS victim
                """
            )
        case .freeze(let time):
            proxy.freeze()
            try await Task.sleep(for: time)
            proxy.thaw()
        case .reset:
            proxy.reset()
        case .refuse(let time):
            proxy.close()
            proxy.reset()
            try await Task.sleep(for: time)
            try proxy.listen()
        }
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...150)))
    }
}
