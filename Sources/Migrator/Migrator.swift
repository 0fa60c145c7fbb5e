import FoundationEssentials
public import Logging
public import PGClient
import Synchronization

/// Brings a database to the state that the files of a directory describe.
///
/// A file is one transaction together with its entry in the ledger, unless it says otherwise. A run that is cancelled or dies leaves
/// the file it was at undone, and the next run goes on there.
public struct Migrator: Sendable {
    public static let version = "0.1.0"

    let configuration: PGConfiguration
    let options: MigratorOptions
    let logger: Logger
    let report: @Sendable (MigrationEvent) -> Void

    /// `report` is called as things happen, by any thread, also by the one that does the connection's input and output: it returns soon.
    public init(
        _ configuration: PGConfiguration,
        options: MigratorOptions = MigratorOptions(),
        logger: Logger,
        report: @escaping @Sendable (MigrationEvent) -> Void = { _ in }
    ) {
        var configuration = configuration
        if configuration.applicationName == nil { configuration.applicationName = "migrate" }
        // Migrations take their time; each has its own limit.
        configuration.statementTimeout = nil
        // Rather late than failed: what is to be done is worth waiting for a busy server.
        configuration.connectTimeout = max(configuration.connectTimeout, .seconds(30))
        configuration.phaseTimeouts.authentication = configuration.connectTimeout
        configuration.phaseTimeouts.session = configuration.connectTimeout
        // Files may drop prepared statements, and nothing is run often enough to gain by one.
        configuration.statementCacheCapacity = 0
        configuration.noticeHandler = { report(.notice(severity: $0.severity, message: $0.message)) }
        self.configuration = configuration
        self.options = options
        self.logger = logger
        self.report = report
    }

    /// Applies what is pending and returns those files. Without anything pending it reads only, and takes no lock.
    ///
    /// When the connection is lost during a COMMIT, the ledger is asked over a new one whether the file was applied.
    /// Throws `MigrationFailure`, or `CancellationError` before any file was begun.
    @discardableResult
    public func up(_ files: [MigrationFile]) async throws -> [MigrationFile] {
        try await self.up(files, approved: nil)
    }

    /// Applies what is pending, which has to be what `approved` says, when that is given.
    func up(_ files: [MigrationFile], approved: DeploymentPlan?) async throws -> [MigrationFile] {
        let applied = Mutex<[MigrationFile]>([])
        try await self.resolvingCommits { connection, doubtful in
            if approved == nil, doubtful == nil, try await self.plan(files, connection).pending.isEmpty,
                try await !SnapshotTable(connection).isBehind()
            {
                return
            }
            try await self.withLock(connection) { watch in
                // Another run may have been at work in the meantime.
                let plan = try await self.plan(files, connection)
                if let approved, doubtful == nil {
                    try approved.check(try await ServerIdentity.read(connection), plan.pending)
                }
                if let doubtful, !plan.pending.contains(where: { $0.file == doubtful.file }) {
                    self.report(.applied(doubtful.file, took: doubtful.elapsed))
                    applied.withLock { $0.append(doubtful.file) }
                }
                for script in plan.pending {
                    try await self.run(script, .up, resuming: plan.unfinished(script.file), connection, watch)
                    applied.withLock { $0.append(script.file) }
                }
            }
        }
        return applied.withLock { $0 }
    }

    /// What `up` would apply. Reads only, and takes no lock.
    public func pending(_ files: [MigrationFile]) async throws -> [MigrationFile] {
        try await self.withConnection { try await self.plan(files, $0).pending.map(\.file) }
    }

    /// Where the database stands. Reads only, takes no lock, and does without a ledger.
    public func status(_ files: [MigrationFile]) async throws -> MigrationStatus {
        try await self.withConnection { connection in
            let run = try await RunLock.holder(connection)
            return try await MigrationStatus(files: files, ledger: Ledger(connection).entries() ?? [], run: run)
        }
    }

    /// Compares the files with what the ledger says of them. Reads only, takes no lock.
    public func verify(_ files: [MigrationFile]) async throws -> Verification {
        try await self.withConnection { connection in
            try await Verification(files: files, ledger: Ledger(connection).entries() ?? [])
        }
    }

    func plan(_ files: [MigrationFile], _ connection: PGConnection) async throws -> Plan {
        let plan = try await Plan(files: files, ledger: Ledger(connection).entries() ?? [], to: self.options.target)
        try plan.check()
        return plan
    }
}

extension Migrator {
    /// Applies or undoes one file, as it asks for.
    func run(
        _ script: MigrationScript, _ direction: LedgerEntry.Direction, resuming unfinished: LedgerEntry?,
        _ connection: PGConnection, _ watch: StatementWatch
    ) async throws {
        let start = ContinuousClock.now
        self.report(direction == .up ? .applying(script.file) : .undoing(script.file))
        do {
            if unfinished != nil || script.directives.isWithoutTransaction {
                try await JournaledRun(
                    migrator: self, connection: connection, watch: watch, script: script, direction: direction
                ).run(resuming: unfinished)
            } else {
                try await TransactionRun(
                    migrator: self, connection: connection, watch: watch, script: script, direction: direction
                ).run()
            }
        } catch let error as PGError where error.code == .commitInDoubt {
            throw DoubtfulCommit(file: script.file, start: start)
        } catch let error as PGError where error.sqlState == RunLock.lostState {
            var failure = RunLock.lost
            failure.fileName = script.file.fileName
            throw failure
        }
        let took = ContinuousClock.now - start
        self.report(direction == .up ? .applied(script.file, took: took) : .undone(script.file, took: took))
    }

    /// Runs `body` with a connection, and again with a new one when a commit in it has an unknown outcome: the ledger, read under
    /// the lock, tells which it was.
    func resolvingCommits(_ body: (PGConnection, DoubtfulCommit?) async throws -> Void) async throws {
        var doubtful: DoubtfulCommit?
        for attempt in 1...3 {
            do {
                let wait: Duration? = doubtful == nil ? nil : .seconds(60)
                return try await self.withConnection(wait: wait) { try await body($0, doubtful) }
            } catch let doubt as DoubtfulCommit where attempt < 3 {
                self.report(.resolvingCommit(doubt.file))
                doubtful = doubt
            } catch let doubt as DoubtfulCommit {
                throw MigrationFailure(
                    .failed, "the connection was lost again and again while \(doubt.file.fileName) was committed",
                    hint: "Run migrate again: the ledger tells whether the file was applied.")
            }
        }
    }

    /// Runs `body` as the only run that changes the database, with a ledger that can be written, and keeps what the schema looks like
    /// afterwards.
    func withLock<R>(_ connection: PGConnection, _ body: (StatementWatch) async throws -> R) async throws -> R {
        try await self.checkIsPrimary(connection)
        let lock = RunLock(connection)
        try await lock.acquire(within: self.options.lockWait, self.report)
        try await self.prepareLedger(connection)
        let before = try await Ledger(connection).entries()
        let watch = StatementWatch(self, pid: connection.backendPID)
        let result: R
        do {
            result = try await watch.during { try await body(watch) }
        } catch let failure as MigrationFailure where failure.kind != .interrupted {
            // Files before the one that failed stay applied. If the connection is lost as well, the next run keeps what there is.
            try? await self.recordCatalog(connection, unlessLedgerIs: before)
            throw failure
        }
        try await self.recordCatalog(connection, unlessLedgerIs: before)
        // After an error or a cancellation it goes with the connection.
        try await lock.release()
        return result
    }

    func prepareLedger(_ connection: PGConnection) async throws {
        guard try await !Ledger(connection).isCurrent() else { return }
        try await connection.withTransaction { transaction in
            let settings = SessionSettings.ledger(role: self.options.role, isLocal: true)
            try await transaction.simpleQuery(unsafeSQL: (settings + LedgerTables.statements).text)
        }
    }
}

/// A file whose COMMIT may or may not have happened.
struct DoubtfulCommit: Error {
    let file: MigrationFile
    let start: ContinuousClock.Instant

    var elapsed: Duration { ContinuousClock.now - self.start }
}
