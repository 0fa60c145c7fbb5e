import PGClient

/// Applies or undoes a file in one transaction together with its entry in the ledger, as often as it takes for the tables it needs to
/// be free.
struct TransactionRun {
    let migrator: Migrator
    let connection: PGConnection
    let watch: StatementWatch
    let script: MigrationScript
    let direction: LedgerEntry.Direction

    /// Throws `MigrationFailure` after the file was undone, of kind `interrupted` when the task was cancelled; `PGError` when the
    /// connection was lost during COMMIT.
    func run() async throws {
        let retry = LockRetry(migrator: self.migrator, script: self.script, watch: self.watch)
        do {
            try await retry.run { try await self.attempt(lockTimeout: $0) }
        } catch is CancellationError {
            throw MigrationFailure(
                .interrupted,
                "interrupted: \(self.script.file.fileName) was rolled back, and what was done before it stays",
                hint: "Run migrate again to go on.")
        }
    }

    private func attempt(lockTimeout: Duration) async throws {
        let settings = self.migrator.sessionSettings(self.script, lockTimeout: lockTimeout, self.connection)
        let opening: SQLText = "SELECT current_user::text AS role, pg_catalog.pg_current_xact_id()::text AS xid"
        do {
            try await self.connection.simpleQuery(unsafeSQL: SessionSettings.forgetting.text)
            try await self.connection.withTransaction(
                unsafeOpening: (settings.statements(isLocal: true) + opening).text
            ) { transaction, rows in
                guard let row = rows.last?.first else { throw MigrationFailure(.failed, "the server gave no answer") }
                try await self.runStatements(transaction)
                guard self.connection.transactionStatus == .inTransaction else { throw self.transactionEnded }
                let write = try self.migrator.ledgerWrite(self.script, role: row.decode("role"))
                return try self.closing(write.ended(self.direction, in: row.decode("xid"))).text
            }
        } catch let error as PGError where error.code == .server && error.sqlState != RunLock.lostState {
            if error.sqlState == "23502", error.table == "ledger", error.column == "xid" { throw self.transactionEnded }
            var failure = MigrationFailure(error)
            failure.fileName = self.script.file.fileName
            throw failure
        }
    }

    private func runStatements(_ transaction: PGTransaction) async throws {
        for (index, statement) in self.script.statements(self.direction).enumerated() {
            self.watch.began(index + 1, of: self.script, self.direction)
            do {
                try await transaction.run(statement, of: self.script)
            } catch let error as PGError {
                throw MigrationFailure(error, in: statement, of: self.script.file)
            }
        }
    }

    /// What comes right before COMMIT. Deferred constraints are checked before the ledger is written, and the file may have changed the
    /// role: the ledger's owner writes the ledger.
    private func closing(_ entry: SQLText) -> SQLText {
        "SET CONSTRAINTS ALL IMMEDIATE; " + RunLock.check
            + SessionSettings.ledger(role: self.migrator.options.role, isLocal: true)
            + entry
    }

    private var transactionEnded: MigrationFailure {
        MigrationFailure(
            .manual, "\(self.script.file.fileName) ended the transaction it was to be applied in",
            hint: "A part of it may have been committed. Undo that by hand, and take the statement out of the file.")
    }
}
