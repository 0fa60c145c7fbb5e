import FoundationEssentials
import PGClient

/// Applies a file in one transaction together with its entry in the ledger, as often as it takes for the tables it needs to be free.
struct TransactionRun {
    private let migrator: Migrator
    private let connection: PGConnection
    private let script: MigrationScript

    init(_ migrator: Migrator, _ connection: PGConnection, _ script: MigrationScript) {
        self.migrator = migrator
        self.connection = connection
        self.script = script
    }

    /// Throws `MigrationFailure` or `CancellationError` after the file was undone.
    func run() async throws {
        let options = self.migrator.options
        let start = ContinuousClock.now
        var patience = LockPatience(fixed: self.script.directives.lockTimeout, maximum: options.lockTimeout)
        var backoff = Backoff(from: .milliseconds(100), to: .seconds(2))
        self.migrator.report(.applying(self.script.file))
        while true {
            let timeout = patience.timeout
            let watch = BlockerWatch(
                configuration: self.migrator.configuration, logger: self.migrator.logger,
                pid: self.connection.backendPID,
                delay: timeout == .zero ? options.lockWait : timeout / 2)
            let (result, blockers) = await watch.during { try await self.attempt(lockTimeout: timeout) }
            do {
                try result.get()
                self.migrator.report(.applied(self.script.file, took: ContinuousClock.now - start))
                return
            } catch let failure as MigrationFailure where failure.isLockConflict {
                guard ContinuousClock.now - start < options.lockWait else { throw failure.lockWait(blockers) }
                patience.attemptFailed()
                let delay = backoff.next()
                self.migrator.report(.retrying(self.script.file, failure, blockers: blockers, delay: delay))
                try await Task.sleep(for: delay)
            }
        }
    }

    private func attempt(lockTimeout: Duration) async throws {
        try await self.connection.withTransaction { transaction in
            let settings = SessionSettings(
                script: self.script, options: self.migrator.options, serverVersion: self.connection.serverVersion,
                lockTimeout: lockTimeout)
            let (role, xid) = try await self.begin(settings, transaction)
            for statement in self.script.statements { try await self.run(statement, transaction) }
            guard self.connection.transactionStatus == .inTransaction else { throw self.transactionEnded }
            let write = LedgerWrite(
                file: self.script.file, breaksBefore: self.script.directives.breaksBefore, role: role,
                settings: try self.migrator.settingsJSON())
            guard try await self.end(write.applied, transaction) == xid else { throw self.transactionEnded }
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

    private func run(_ statement: SQLLexer.Statement, _ transaction: PGTransaction) async throws {
        do {
            try await transaction.simpleQuery(unsafeSQL: self.script.file.source[bytes: statement.bytes])
        } catch let error as PGError {
            throw MigrationFailure(error, in: statement, of: self.script.file)
        }
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

extension Migrator {
    /// The values of `--set` as a JSON object.
    func settingsJSON() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(self.options.settings), as: UTF8.self)
    }
}

extension MigrationFailure {
    /// Whether trying the file again can help: `lock_not_available` and `deadlock_detected`.
    var isLockConflict: Bool { self.sqlState == "55P03" || self.sqlState == "40P01" }

    func lockWait(_ blockers: [LockHolder]) -> MigrationFailure {
        var failure = MigrationFailure(
            .lockWait, self.message, place: self.place,
            hint: "Let the file try for longer with --lock-wait, or end who is in its way.")
        failure.fileName = self.fileName
        failure.sqlState = self.sqlState
        if !blockers.isEmpty { failure.detail = "blocked by " + blockers.map(\.description).joined(separator: "; ") }
        return failure
    }
}
