import FoundationEssentials
public import Logging
public import PGClient

/// Brings a database to the state that the files of a directory describe.
///
/// Each file is one transaction together with its entry in the ledger. A run that is cancelled or dies leaves the file it was at
/// undone, and the next run goes on there.
public struct Migrator: Sendable {
    public static let version = "0.1.0"

    private let configuration: PGConfiguration
    private let options: MigratorOptions
    private let logger: Logger
    private let report: @Sendable (MigrationEvent) -> Void

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
            let plan = try await self.plan(files, connection)
            guard !plan.pending.isEmpty else { return [] }
            try await self.checkIsPrimary(connection)
            let lock = RunLock(connection)
            try await lock.acquire(within: self.options.lockWait, self.report)
            let ledger = Ledger(connection)
            if try await ledger.entries() == nil { try await self.createLedger(connection) }
            // Another run may have been at work in the meantime.
            let scripts = try await self.plan(files, connection).pending
            for script in scripts { try await self.apply(script, connection) }
            try await lock.release()
            return scripts.map(\.file)
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

    private func plan(_ files: [MigrationFile], _ connection: PGConnection) async throws -> Plan {
        let plan = try await Plan(files: files, ledger: Ledger(connection).entries() ?? [], to: self.options.target)
        try plan.check()
        return plan
    }
}

extension Migrator {
    /// Connects, if need be again and again, and turns errors of the server into failures.
    func withConnection<R>(_ body: (PGConnection) async throws -> R) async throws -> R {
        let start = ContinuousClock.now
        var backoff = Backoff(from: .milliseconds(100), to: .seconds(2))
        var nextReport = start
        while true {
            var isConnected = false
            do {
                return try await PGConnection.withConnection(self.configuration, logger: self.logger) { connection in
                    isConnected = true
                    try await self.checkIsDirect(connection)
                    return try await body(connection)
                }
            } catch let error as PGError {
                guard !isConnected, error.mayPass else { throw MigrationFailure(error) }
                let now = ContinuousClock.now
                guard now - start < self.options.connectWait else { throw MigrationFailure(error, kind: .unreachable) }
                if now >= nextReport {
                    self.report(.waitingForServer(error.message))
                    nextReport = now + .seconds(5)
                }
            }
            try await Task.sleep(for: backoff.next())
        }
    }

    /// A pooler hands a session's lock to whoever comes next (measured: two runs both got it).
    private func checkIsDirect(_ connection: PGConnection) async throws {
        let pid: Int32 = try await connection.value("SELECT pg_backend_pid()")
        guard pid != connection.backendPID else { return }
        throw MigrationFailure(
            .failed, "there is a pooler between migrate and the server",
            hint: "Name the server itself in MIGRATE_DATABASE_URL: locks do not work through a pooler."
        )
    }

    private func checkIsPrimary(_ connection: PGConnection) async throws {
        let isStandby: Bool = try await connection.value("SELECT pg_is_in_recovery()")
        guard isStandby else { return }
        throw MigrationFailure(
            .failed, "this server is a standby, which cannot be changed",
            hint: "Add target_session_attrs=primary to the URL.")
    }

    func createLedger(_ connection: PGConnection) async throws {
        try await connection.withTransaction { transaction in
            try await self.set([("role", self.options.role ?? "none")], transaction)
            try await Ledger.create(in: transaction)
        }
    }

    /// Sets for the rest of the transaction, in the order given.
    private func set(_ settings: [(name: String, value: String)], _ transaction: PGTransaction) async throws {
        try await transaction.query(
            """
            SELECT pg_catalog.set_config(setting.name, setting.value, true)
            FROM unnest(\(settings.map(\.name)), \(settings.map(\.value))) AS setting (name, value)
            """
        )
    }
}

extension Migrator {
    /// Applies a file, as often as it takes for the tables it needs to be free, within `lockWait`.
    func apply(_ script: MigrationScript, _ connection: PGConnection) async throws {
        let start = ContinuousClock.now
        let lockTimeout = script.directives.lockTimeout ?? self.options.lockTimeout
        let watch = BlockerWatch(
            configuration: self.configuration, logger: self.logger, pid: connection.backendPID,
            delay: lockTimeout == .zero ? self.options.lockWait : lockTimeout / 2)
        var backoff = Backoff(from: .milliseconds(100), to: .seconds(2))
        self.report(.applying(script.file))
        while true {
            let (result, blockers) = await watch.during { try await self.attempt(script, lockTimeout, connection) }
            do {
                try result.get()
                self.report(.applied(script.file, took: ContinuousClock.now - start))
                return
            } catch let failure as MigrationFailure where failure.isLockConflict {
                guard ContinuousClock.now - start < self.options.lockWait else {
                    throw failure.lockWait(blockers)
                }
                let delay = backoff.next()
                self.report(.retrying(script.file, failure, blockers: blockers, delay: delay))
                try await Task.sleep(for: delay)
            }
        }
    }

    private func attempt(_ script: MigrationScript, _ lockTimeout: Duration, _ connection: PGConnection) async throws {
        try await connection.withTransaction { transaction in
            // What an earlier file has set for the session is none of this one's business.
            try await transaction.simpleQuery(unsafeSQL: "RESET SESSION AUTHORIZATION; RESET ALL")
            try await self.set(
                self.settings(for: script, lockTimeout, serverVersion: connection.serverVersion), transaction)
            let role: String = try await transaction.value("SELECT current_user::text")
            let xid = try await self.transactionID(transaction)
            try await self.run(script, transaction)
            let isStillOpen = connection.transactionStatus == .inTransaction
            guard isStillOpen, try await self.transactionID(transaction) == xid else {
                throw MigrationFailure(
                    .failed, "\(script.file.fileName) ended the transaction it was to be applied in",
                    hint:
                        "A part of it may have been committed. Undo that by hand, and take the statement out of the file."
                )
            }
            // The file may have changed the role; the ledger's owner writes the ledger.
            try await self.set([("role", self.options.role ?? "none")], transaction)
            try await Ledger(transaction).add(
                Ledger.Record(
                    file: script.file, breaksBefore: script.directives.breaksBefore, role: role,
                    settings: self.settingsJSON()))
        }
    }

    private func transactionID(_ transaction: PGTransaction) async throws -> String {
        try await transaction.value("SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text")
    }

    private func run(_ script: MigrationScript, _ transaction: PGTransaction) async throws {
        for statement in script.statements {
            do {
                try await transaction.simpleQuery(unsafeSQL: script.file.source[bytes: statement.bytes])
            } catch let error as PGError {
                throw MigrationFailure(error, in: statement, of: script.file)
            }
        }
        do {
            // Otherwise they would fail at COMMIT, after the ledger was written, with nobody to say which file it was.
            try await transaction.simpleQuery(unsafeSQL: "SET CONSTRAINTS ALL IMMEDIATE")
        } catch let error as PGError {
            var failure = MigrationFailure(error)
            failure.fileName = script.file.fileName
            throw failure
        }
    }

    private func settings(
        for script: MigrationScript, _ lockTimeout: Duration, serverVersion: Int
    ) -> [(name: String, value: String)] {
        let statementTimeout = script.directives.statementTimeout ?? .zero
        var settings = [
            // The rules by which the file was split into statements.
            (name: "standard_conforming_strings", value: "on"),
            (name: "lock_timeout", value: "\(lockTimeout.milliseconds)"),
            (name: "statement_timeout", value: "\(statementTimeout.milliseconds)"),
            (name: "idle_in_transaction_session_timeout", value: "0"),
        ]
        // So that the server does not go on with a statement, and keep the lock, for a migrate that was killed.
        if serverVersion >= 140_000 { settings.append(("client_connection_check_interval", "1000")) }
        settings += self.options.settings.sorted { $0.key < $1.key }.map { ("migrate." + $0.key, $0.value) }
        settings.append(("role", script.directives.role ?? self.options.role ?? "none"))
        return settings
    }

    private func settingsJSON() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(self.options.settings), as: UTF8.self)
    }
}

extension MigrationFailure {
    /// Whether trying the file again can help: `lock_not_available` and `deadlock_detected`.
    fileprivate var isLockConflict: Bool { self.sqlState == "55P03" || self.sqlState == "40P01" }

    fileprivate func lockWait(_ blockers: [LockHolder]) -> MigrationFailure {
        var failure = MigrationFailure(
            .lockWait, self.message, place: self.place,
            hint: "Let the file try for longer with --lock-wait, or end who is in its way.")
        failure.fileName = self.fileName
        failure.sqlState = self.sqlState
        if !blockers.isEmpty { failure.detail = "blocked by " + blockers.map(\.description).joined(separator: "; ") }
        return failure
    }
}

extension PGError {
    /// Whether a server that could not be connected to may be there a little later. Wrong credentials and names stay wrong.
    fileprivate var mayPass: Bool {
        switch self.sqlState {
        // cannot_connect_now, too_many_connections
        case "57P03", "53300": true
        case .some: false
        case nil: self.code != .invalidConfiguration
        }
    }
}
