import FoundationEssentials
public import Logging
public import PGClient

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
    /// Throws `MigrationFailure`, or `CancellationError` after the file at hand was undone.
    @discardableResult
    public func up(_ files: [MigrationFile]) async throws -> [MigrationFile] {
        try await self.withConnection { connection in
            guard try await !self.plan(files, connection).pending.isEmpty else { return [] }
            return try await self.withLock(connection) {
                // Another run may have been at work in the meantime.
                let scripts = try await self.plan(files, connection).pending
                for script in scripts { try await TransactionRun(self, connection, script).run() }
                return scripts.map(\.file)
            }
        }
    }

    /// What `up` would apply. Reads only, and takes no lock.
    public func pending(_ files: [MigrationFile]) async throws -> [MigrationFile] {
        try await self.withConnection { try await self.plan(files, $0).pending.map(\.file) }
    }

    /// Where the database stands. Reads only, takes no lock, and does without a ledger.
    public func status(_ files: [MigrationFile]) async throws -> MigrationStatus {
        try await self.withConnection { connection in
            try await MigrationStatus(files: files, ledger: Ledger(connection).entries() ?? [])
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
    /// Runs `body` as the only run that changes the database, with a ledger that can be written, and keeps what the schema looks like
    /// afterwards.
    func withLock<R>(_ connection: PGConnection, _ body: () async throws -> R) async throws -> R {
        try await self.checkIsPrimary(connection)
        let lock = RunLock(connection)
        try await lock.acquire(within: self.options.lockWait, self.report)
        try await self.prepareLedger(connection)
        let result = try await body()
        try await self.recordCatalog(connection)
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

    /// Called under the lock, after the last file of a run and after whatever else changed what the ledger says.
    func recordCatalog(_ connection: PGConnection) async throws {}
}
