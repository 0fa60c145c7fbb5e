import Logging
import PGClient
import Synchronization

/// Looks from a second connection what a run waits for, and how far its statement has come.
final class StatementWatch: Sendable {
    private struct State {
        var statement = 1
        var start = ContinuousClock.now
        var blockers: [LockHolder] = []
        /// How long the statement has to take for the next report.
        var nextReport = StatementWatch.reportInterval
    }

    private static let reportInterval = Duration.seconds(1)

    private let migrator: Migrator
    private let pid: Int32
    private let script: MigrationScript
    private let direction: LedgerEntry.Direction
    private let state = Mutex(State())

    /// Watches the session `pid`.
    init(
        _ migrator: Migrator, _ script: MigrationScript, _ direction: LedgerEntry.Direction, pid: Int32
    ) {
        self.migrator = migrator
        self.script = script
        self.direction = direction
        self.pid = pid
    }

    /// Says that the statement of this number, from 1, is sent now.
    func began(_ statement: Int) {
        self.state.withLock { $0 = State(statement: statement) }
    }

    /// Runs `body` and returns its result, with those who were seen to block it last. Nobody looks before `delay`, and nothing
    /// but the names is lost when there is no second connection to look from.
    func during<R>(
        delay: Duration, _ body: () async throws -> R
    ) async -> (result: Result<R, any Error>, blockers: [LockHolder]) {
        self.state.withLock { $0.blockers = [] }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.watch(after: delay) }
            let result: Result<R, any Error>
            do {
                result = .success(try await body())
            } catch {
                result = .failure(error)
            }
            group.cancelAll()
            await group.waitForAll()
            return (result, self.state.withLock { $0.blockers })
        }
    }

    private func watch(after delay: Duration) async {
        do {
            try await Task.sleep(for: delay)
            try await PGConnection.withConnection(self.migrator.configuration, logger: self.migrator.logger) {
                connection in
                while true {
                    let elapsed = try await self.look(connection)
                    try await Task.sleep(for: .milliseconds(elapsed < Self.reportInterval ? 50 : 250))
                }
            }
        } catch {
            self.migrator.logger.debug("watching ended", metadata: ["error": "\(error)"])
        }
    }

    /// Returns how long the statement has been running.
    private func look(_ connection: PGConnection) async throws -> Duration {
        let blockers = try await LockHolder.blocking(self.pid, connection)
        let (statement, elapsed, isDue) = self.state.withLock { state in
            if !blockers.isEmpty { state.blockers = blockers }
            let elapsed = ContinuousClock.now - state.start
            let isDue = elapsed >= state.nextReport
            if isDue { state.nextReport = elapsed + Self.reportInterval }
            return (state.statement, elapsed, isDue)
        }
        if isDue {
            let statements = self.script.statements(self.direction)
            self.migrator.report(
                .running(
                    RunningStatement(
                        file: self.script.file, number: statement, total: statements.count,
                        line: statements.indices.contains(statement - 1) ? statements[statement - 1].position.line : 1,
                        elapsed: elapsed, blockers: blockers,
                        progress: try await RunningStatement.Progress.read(self.pid, connection))))
        }
        return elapsed
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
