import PGClient

/// Applies or undoes a file in one transaction together with its entry in the ledger, as often as it takes for the tables it needs to
/// be free.
struct TransactionRun {
    private let migrator: Migrator
    private let connection: PGConnection
    private let script: MigrationScript
    private let direction: LedgerEntry.Direction
    private let watch: StatementWatch

    init(
        _ migrator: Migrator, _ connection: PGConnection, _ script: MigrationScript,
        _ direction: LedgerEntry.Direction = .up
    ) {
        self.migrator = migrator
        self.connection = connection
        self.script = script
        self.direction = direction
        self.watch = StatementWatch(migrator, script, direction, pid: connection.backendPID)
    }

    /// Throws `MigrationFailure` after the file was undone, of kind `interrupted` when the task was cancelled.
    func run() async throws {
        let retry = LockRetry(
            migrator: self.migrator, connection: self.connection, script: self.script, watch: self.watch)
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
        try await self.connection.withTransaction { transaction in
            let settings = self.migrator.sessionSettings(self.script, lockTimeout: lockTimeout, self.connection)
            let (role, xid) = try await self.begin(settings, transaction)
            for (index, statement) in self.script.statements(self.direction).enumerated() {
                self.watch.began(index + 1)
                do {
                    try await transaction.simpleQuery(unsafeSQL: self.script.text(of: statement))
                } catch let error as PGError {
                    throw MigrationFailure(error, in: statement, of: self.script.file)
                }
            }
            guard self.connection.transactionStatus == .inTransaction else { throw self.transactionEnded }
            let write = try self.migrator.ledgerWrite(self.script, role: role)
            let entry = self.direction == .up ? write.applied : write.undone
            guard try await self.end(entry, transaction) == xid else { throw self.transactionEnded }
        }
    }

    /// Returns who applies the file, and the number of the transaction.
    private func begin(
        _ settings: SessionSettings, _ transaction: PGTransaction
    ) async throws -> (role: String, xid: String) {
        let whoAndWhere: SQLText = "SELECT current_user::text AS role, pg_catalog.pg_current_xact_id()::text AS xid"
        let results = try await transaction.simpleQuery(
            unsafeSQL: (settings.statements(isLocal: true) + whoAndWhere).text)
        guard let row = results.last?.first else { throw MigrationFailure(.failed, "the server gave no answer") }
        return try (row.decode("role"), row.decode("xid"))
    }

    /// Writes the ledger, and returns the number of the transaction that holds the entry.
    ///
    /// Deferred constraints are checked before: at COMMIT there would be nobody to say which file broke them. The file may have
    /// changed the role; the ledger's owner writes the ledger.
    private func end(_ entry: SQLText, _ transaction: PGTransaction) async throws -> String {
        let ledger = SessionSettings.ledger(role: self.migrator.options.role, isLocal: true)
        do {
            let results = try await transaction.simpleQuery(
                unsafeSQL: ("SET CONSTRAINTS ALL IMMEDIATE; " + ledger + entry).text)
            guard let row = results.last?.first else { throw MigrationFailure(.failed, "the server gave no answer") }
            return try row.decode("xid")
        } catch let error as PGError {
            var failure = MigrationFailure(error)
            failure.fileName = self.script.file.fileName
            throw failure
        }
    }

    private var transactionEnded: MigrationFailure {
        MigrationFailure(
            .manual, "\(self.script.file.fileName) ended the transaction it was to be applied in",
            hint: "A part of it may have been committed. Undo that by hand, and take the statement out of the file.")
    }
}
