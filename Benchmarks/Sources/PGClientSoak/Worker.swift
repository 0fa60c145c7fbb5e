import PGClient

/// Writes and reads in turn until the ledger is closed; some of it is cancelled on the way.
struct Worker: Sendable {
    let number: Int
    let client: PGClient
    let ledger: Ledger

    func run() async {
        var step = 0
        while !self.ledger.isClosed {
            let start = ContinuousClock.now
            let isCancelled = Int.random(in: 0..<4) == 0
            if Bool.random() {
                let written = step
                let answer = await self.attempt(isCancelled: isCancelled) { try await self.write(written) }
                self.ledger.note(answer, task: self.number, step: written)
                step += 1
            } else {
                _ = await self.attempt(isCancelled: isCancelled) { try await self.read() }
            }
            self.ledger.note(ContinuousClock.now - start)
            try? await Task.sleep(for: .microseconds(Int.random(in: 0...20_000)))
        }
    }

    private func write(_ step: Int) async throws {
        switch Ledger.Kind(step: step) {
        case .single:
            let count = try await self.client.execute(self.insert(step, 0))
            if count != 1 { self.ledger.complain("an INSERT reported \(count) rows") }
        case .transaction:
            try await self.client.withTransaction { transaction in
                for part in 0..<2 { try await transaction.execute(self.insert(step, part)) }
            }
        case .pipeline:
            let outcomes = try await self.client.withConnection { connection in
                try await connection.pipeline { pipeline in
                    for part in 0..<5 { pipeline.append(self.insert(step, part)) }
                }
            }
            for outcome in outcomes { _ = try outcome.get() }
        }
    }

    private func insert(_ step: Int, _ part: Int) -> PGQuery {
        "INSERT INTO ledger VALUES (\(Int32(self.number)), \(Int32(step)), \(Int32(part)))"
    }

    /// The answer has to be that to this question, and no other task's.
    private func read() async throws {
        let token = Int.random(in: 0 ... .max)
        let database: any PGQuerying = Bool.random() ? self.client : self.client.sharedReads
        let answer = try await database.query("SELECT \(token) AS token").only?.decode("token", as: Int.self)
        if answer != token { self.ledger.complain("asked for \(token), answered \(String(describing: answer))") }
        self.ledger.noteRead()
    }

    private func attempt(
        isCancelled: Bool, _ operation: @escaping @Sendable () async throws -> Void
    ) async -> Ledger.Answer {
        do {
            try await withThrowingTaskGroup { group in
                group.addTask { try await operation() }
                if isCancelled {
                    try? await Task.sleep(for: .microseconds(Int.random(in: 0...5000)))
                    group.cancelAll()
                }
                try await group.waitForAll()
            }
            return .done
        } catch is CancellationError where isCancelled {
            return .unknown
        } catch let error as PGError {
            return self.answer(to: error, isCancelled: isCancelled)
        } catch {
            self.ledger.complain("an unexpected error: \(error)")
            return .unknown
        }
    }

    private func answer(to error: PGError, isCancelled: Bool) -> Ledger.Answer {
        switch error.code {
        case .acquireTimeout, .poolSaturated, .poolClosed:
            return .refused
        case .connection, .commitInDoubt, .connectTimeout(.connect), .connectTimeout(.authentication):
            return .unknown
        case .server where isCancelled && error.sqlState == "57014":
            return .unknown
        default:
            self.ledger.complain("an unexpected error: \(String(reflecting: error))")
            return .unknown
        }
    }
}
