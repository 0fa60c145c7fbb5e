import PGClient

/// Applies or undoes a file statement by statement, and keeps in the journal how far it has come.
///
/// A statement that can be a part of a transaction is one together with its line of the journal. Of one that cannot, the journal first
/// says that it is begun; whether it was done when the run died on it, the catalog tells, and otherwise it is run again. What the server
/// has answered with an error was not done.
struct JournaledRun {
    let migrator: Migrator
    let connection: PGConnection
    let watch: StatementWatch
    let script: MigrationScript
    let direction: LedgerEntry.Direction

    private var statements: [SQLLexer.Statement] { self.script.statements(self.direction) }

    /// Begins the file, or takes it up where `unfinished` says that an earlier run stopped.
    ///
    /// Throws `MigrationFailure`, of kind `interrupted` when the task was cancelled, and of kind `drift` when statements that were done
    /// are not those of the file any more.
    func run(resuming unfinished: LedgerEntry?) async throws {
        let settings = self.migrator.sessionSettings(
            self.script, lockTimeout: self.migrator.options.lockTimeout, self.connection)
        try await self.connection.simpleQuery(unsafeSQL: settings.statements(isLocal: false).text)
        let (write, journal) = try await self.begin(unfinished)
        let done = journal.prefix { $0.isFinished }.count
        if done > 0 {
            self.migrator.report(.resuming(self.script.file, statement: done + 1, total: self.statements.count))
        }
        for (index, statement) in self.statements.enumerated() {
            let step = Step(statement, number: index + 1, of: self.script)
            if index >= done {
                let isInDoubt = journal.contains { $0.statement == step.number && $0.sha256 == step.sha256 }
                try await self.run(step, write, isInDoubt: isInDoubt)
            } else if step.kind == .setting {
                try await self.connection.simpleQuery(unsafeSQL: step.text)
            }
        }
        try await self.write(write.ended(self.direction, self.script.file.version))
        let ledger = SessionSettings.ledger(role: self.migrator.options.role, isLocal: false)
        try await self.connection.simpleQuery(unsafeSQL: "RESET SESSION AUTHORIZATION; RESET ALL; " + ledger.text)
    }

    private func begin(_ unfinished: LedgerEntry?) async throws -> (write: JournalWrite, journal: [JournalEntry]) {
        guard let unfinished else {
            let role: String = try await self.connection.value("SELECT current_user::text")
            let write = try self.migrator.ledgerWrite(self.script, role: role)
            let results = try await self.write(write.begun(self.direction, statements: self.statements.count))
            guard let row = results.last?.first else { throw MigrationFailure(.failed, "the server gave no answer") }
            let id: Int64 = try row.decode("id")
            return (JournalWrite(entry: "\(id)"), [])
        }
        let journal = try await JournalEntry.all(of: unfinished.id, self.connection)
            .filter { $0.isFinished || unfinished.state == .running }
        try self.check(journal)
        let write = JournalWrite(entry: "\(unfinished.id)")
        try await self.write(write.resumed(self.script.file, statements: self.statements.count))
        return (write, journal)
    }

    /// What is still to be done may have been mended; what was done may not have changed.
    private func check(_ journal: [JournalEntry]) throws(MigrationFailure) {
        for entry in journal where entry.isFinished {
            let statement =
                self.statements.indices.contains(entry.statement - 1) ? self.statements[entry.statement - 1] : nil
            if let statement, self.script.sha256(of: statement) == entry.sha256 { continue }
            throw MigrationFailure(
                .drift,
                "statement \(entry.statement) of \(self.script.file.fileName) was run already, and is another one now",
                place: statement.map { .init(self.script.file, $0.position) },
                hint: """
                    Restore what was run, and mend only what comes after it. When what was done is undone by hand, \
                    `migrate repair --forget \(self.script.file.identity)` lets the file begin anew.
                    """)
        }
    }
}

extension JournaledRun {
    private struct Step {
        let statement: SQLLexer.Statement
        let number: Int
        let text: String
        let kind: StatementKind
        let sha256: [UInt8]

        init(_ statement: SQLLexer.Statement, number: Int, of script: MigrationScript) {
            self.statement = statement
            self.number = number
            self.text = script.text(of: statement)
            self.kind = StatementKind(self.text)
            self.sha256 = script.sha256(of: statement)
        }
    }

    private func run(_ step: Step, _ write: JournalWrite, isInDoubt: Bool) async throws {
        let retry = LockRetry(migrator: self.migrator, script: self.script, watch: self.watch)
        var isTransaction = false
        do {
            try await retry.run { lockTimeout in
                self.watch.began(step.number, of: self.script, self.direction)
                switch step.kind {
                case .ordinary, .setting:
                    do {
                        isTransaction = true
                        try await self.runInTransaction(step, write, lockTimeout)
                    } catch let failure as MigrationFailure where failure.needsNoTransaction {
                        isTransaction = false
                        try await self.runAlone(step, write, lockTimeout, isInDoubt: isInDoubt)
                    }
                default:
                    try await self.runAlone(step, write, lockTimeout, isInDoubt: isInDoubt)
                }
            }
        } catch is CancellationError {
            throw MigrationFailure(
                .interrupted,
                "interrupted at statement \(step.number) of \(self.statements.count) of \(self.script.file.fileName)",
                place: .init(self.script.file, step.statement.position),
                hint: "Run migrate again: it goes on at this statement.")
        } catch var failure as MigrationFailure {
            failure.hint = [failure.hint, self.wayOut(at: step, isTransaction: isTransaction)].compactMap(\.self)
                .joined(separator: "\n")
            if failure.sqlState != nil {
                // Without a connection the statement stays in doubt.
                _ = try? await self.write(write.failed(failure.message))
            }
            throw failure
        }
    }

    private func wayOut(at step: Step, isTransaction: Bool) -> String {
        switch self.direction {
        case .up where step.number == 1 && isTransaction:
            "Mend the file and run migrate again: nothing of it was done."
        case .up where step.number == 1:
            "Mend the file and run migrate again: what the statement did by itself before the error stays."
        case .up:
            "What stands before statement \(step.number) was done and stays. Mend the rest and run migrate again: it goes on there."
        case .down:
            """
            Run `migrate down` again when what is in the way is gone: it goes on at statement \(step.number). A file that is mended for \
            that is taken by `migrate repair --accept \(self.script.file.identity)`.
            """
        }
    }

    private func runInTransaction(_ step: Step, _ write: JournalWrite, _ lockTimeout: Duration) async throws {
        try await self.connection.withTransaction { transaction in
            try await transaction.simpleQuery(
                unsafeSQL: SQLText(
                    "SELECT pg_catalog.set_config('lock_timeout', \("\(lockTimeout.milliseconds)"), true)"
                ).text)
            try await self.send(step) { try await transaction.run(step.statement, of: self.script) }
            let entry = write.began(step.number, sha256: step.sha256) + write.finished(step.number)
            try await transaction.simpleQuery(unsafeSQL: self.asOwner(entry).text)
        }
    }

    private func runAlone(
        _ step: Step, _ write: JournalWrite, _ lockTimeout: Duration, isInDoubt: Bool
    ) async throws {
        let preparation = StatementPreparation(
            kind: step.kind, connection: self.connection, report: self.migrator.report)
        let text = try await preparation.text(step.text, isInDoubt: isInDoubt)
        if let text {
            try await self.write(write.began(step.number, sha256: step.sha256))
            try await self.setLockTimeout(step.kind.waitsForSnapshots ? self.snapshotWait : lockTimeout)
            try await self.send(step) { try await self.connection.simpleQuery(unsafeSQL: text) }
            try await self.setLockTimeout(self.migrator.options.lockTimeout)
            try await preparation.check(step.statement, self.script.file)
        }
        try await self.write(write.finished(step.number))
    }

    private var snapshotWait: Duration {
        self.script.directives.snapshotWait ?? self.migrator.options.snapshotWait
    }

    private func setLockTimeout(_ timeout: Duration) async throws {
        try await self.connection.simpleQuery(
            unsafeSQL: SQLText("SELECT pg_catalog.set_config('lock_timeout', \("\(timeout.milliseconds)"), false)").text
        )
    }

    /// Sends a statement, and says which it was in what the server has against it.
    private func send(_ step: Step, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as PGError {
            let failure = MigrationFailure(error, in: step.statement, of: self.script.file)
            guard step.kind.waitsForSnapshots, error.sqlState == "55P03" else { throw failure }
            throw failure.snapshotWait(self.snapshotWait)
        }
    }

    /// Writes the ledger in a transaction of its own, as its owner.
    @discardableResult
    private func write(_ text: SQLText) async throws -> [PGRows] {
        try await self.connection.withTransaction { try await $0.simpleQuery(unsafeSQL: self.asOwner(text).text) }
    }

    /// What writes the ledger, by its owner, and only while this run has the lock.
    private func asOwner(_ text: SQLText) -> SQLText {
        RunLock.check + SessionSettings.ledger(role: self.migrator.options.role, isLocal: true) + text
    }
}

extension MigrationFailure {
    /// `active_sql_transaction` and `invalid_transaction_termination`: nothing was done, because it was tried in a transaction.
    fileprivate var needsNoTransaction: Bool { self.sqlState == "25001" || self.sqlState == "2D000" }

    fileprivate func snapshotWait(_ limit: Duration) -> MigrationFailure {
        var failure = MigrationFailure(
            .lockWait, "transactions that are older did not end within \(limit.components.seconds) s",
            place: self.place,
            hint:
                "End who is in the way, or give it longer with --snapshot-wait. An index that was left INVALID is built again then."
        )
        failure.sqlState = self.sqlState
        return failure
    }
}
