import Logging
import PGClient
import Synchronization

/// Looks from a second connection what a run waits for, and how far its statement has come.
final class StatementWatch: Sendable {
    private struct Current {
        let script: MigrationScript
        let direction: LedgerEntry.Direction
        let statement: Int
        let start = ContinuousClock.now
        /// How long the statement has to take for the next report.
        var nextReport = StatementWatch.reportInterval
    }

    private struct State {
        var current: Current?
        /// How long a statement has to take for somebody to look what it waits for.
        var delay = Duration.milliseconds(50)
        var blockers: [LockHolder] = []
    }

    private static let reportInterval = Duration.seconds(1)

    private let migrator: Migrator
    private let pid: Int32
    private let state = Mutex(State())

    /// Watches the session `pid`.
    init(_ migrator: Migrator, pid: Int32) {
        self.migrator = migrator
        self.pid = pid
    }

    /// Begins an attempt, in which nobody looks at a statement before `delay`.
    func attemptBegan(delay: Duration) {
        self.state.withLock { $0 = State(delay: delay) }
    }

    /// Says that the statement of this number, from 1, is sent now.
    func began(_ statement: Int, of script: MigrationScript, _ direction: LedgerEntry.Direction) {
        let current = Current(script: script, direction: direction, statement: statement)
        self.state.withLock { $0.current = current }
    }

    /// Ends the attempt, and returns those who were seen to block it last.
    func attemptEnded() -> [LockHolder] {
        self.state.withLock { state in
            state.current = nil
            return state.blockers
        }
    }

    /// Looks for as long as `body` runs. Nothing but names is lost when there is no second connection to look from.
    func during<R>(_ body: () async throws -> R) async throws -> R {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.look() }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    private func look() async {
        do {
            while !self.isDue { try await Task.sleep(for: .milliseconds(25)) }
            try await PGConnection.withConnection(self.migrator.configuration, logger: self.migrator.logger) {
                connection in
                while true {
                    if self.isDue { try await self.look(connection) }
                    try await Task.sleep(for: .milliseconds(25))
                }
            }
        } catch {
            self.migrator.logger.debug("watching ended", metadata: ["error": "\(error)"])
        }
    }

    private var isDue: Bool {
        self.state.withLock { state in
            state.current.map { ContinuousClock.now - $0.start >= state.delay } ?? false
        }
    }

    private func look(_ connection: PGConnection) async throws {
        let blockers = try await LockHolder.blocking(self.pid, connection)
        let due = self.state.withLock { state in
            if !blockers.isEmpty { state.blockers = blockers }
            guard var current = state.current else { return Current?.none }
            let elapsed = ContinuousClock.now - current.start
            guard elapsed >= current.nextReport else { return nil }
            current.nextReport = elapsed + Self.reportInterval
            state.current = current
            return current
        }
        guard let due else { return }
        let statements = due.script.statements(due.direction)
        self.migrator.report(
            .running(
                RunningStatement(
                    file: due.script.file, number: due.statement, total: statements.count,
                    line: statements[due.statement - 1].position.line, elapsed: ContinuousClock.now - due.start,
                    blockers: blockers, progress: try await RunningStatement.Progress.read(self.pid, connection))))
    }
}

/// A statement that takes long.
public struct RunningStatement: Sendable {
    /// How far the building of an index has come (PostgreSQL manual, "CREATE INDEX Progress Reporting").
    public struct Progress: Sendable, Hashable {
        public let phase: String
        /// Of 1; nil in phases that do not count.
        public let part: Double?
    }

    public let file: MigrationFile
    /// From 1.
    public let number: Int
    public let total: Int
    public let line: Int
    public let elapsed: Duration
    public let blockers: [LockHolder]
    public let progress: Progress?
}

extension RunningStatement.Progress {
    static func read(_ pid: Int32, _ db: any PGQuerying) async throws -> Self? {
        try await db.query(
            """
            SELECT phase, CASE
                    WHEN blocks_total > 0 THEN blocks_done::float8 / blocks_total
                    WHEN tuples_total > 0 THEN tuples_done::float8 / tuples_total
                    WHEN lockers_total > 0 THEN lockers_done::float8 / lockers_total
                END AS part
            FROM pg_stat_progress_create_index WHERE pid = \(pid)
            """
        ).first.map { row in try Self(phase: row.decode("phase"), part: row.decode("part")) }
    }
}

extension LockHolder {
    static func blocking(_ pid: Int32, _ db: any PGQuerying) async throws -> [LockHolder] {
        try await db.query(
            """
            SELECT pid, coalesce(usename::text, '') AS usename, coalesce(application_name, '') AS application_name,
                extract(epoch FROM clock_timestamp() - coalesce(xact_start, backend_start, clock_timestamp()))::float8 AS age
            FROM pg_stat_activity
            WHERE pid = ANY (pg_blocking_pids(\(pid)))
            ORDER BY pid
            """
        ).map(LockHolder.init)
    }
}
