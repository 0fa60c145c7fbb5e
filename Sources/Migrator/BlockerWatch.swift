import Logging
import PGClient

/// Looks from a second connection which sessions another one waits for.
struct BlockerWatch {
    let configuration: PGConfiguration
    let logger: Logger
    /// The session that may have to wait.
    let pid: Int32
    /// Before that the second connection is not made.
    let delay: Duration

    /// Runs `body` and returns its result, with those who were seen to block `pid` last.
    func during<R>(_ body: () async throws -> R) async -> (result: Result<R, any Error>, blockers: [LockHolder]) {
        await withTaskGroup(of: [LockHolder].self) { group in
            group.addTask { await self.watch() }
            let result: Result<R, any Error>
            do {
                result = .success(try await body())
            } catch {
                result = .failure(error)
            }
            group.cancelAll()
            return (result, await group.next() ?? [])
        }
    }

    /// Looks until the task is cancelled. Without a second connection nobody is named, and nothing else is lost.
    private func watch() async -> [LockHolder] {
        var seen: [LockHolder] = []
        do {
            try await Task.sleep(for: self.delay)
            try await PGConnection.withConnection(self.configuration, logger: self.logger) { connection in
                while true {
                    let blockers = try await self.blockers(connection)
                    if !blockers.isEmpty { seen = blockers }
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
        } catch {
            self.logger.debug("watching for blockers ended", metadata: ["error": "\(error)"])
        }
        return seen
    }

    private func blockers(_ connection: PGConnection) async throws -> [LockHolder] {
        try await connection.query(
            """
            SELECT pid, coalesce(usename::text, '') AS usename, coalesce(application_name, '') AS application_name,
                extract(epoch FROM clock_timestamp() - coalesce(xact_start, backend_start, clock_timestamp()))::float8 AS age
            FROM pg_stat_activity
            WHERE pid = ANY (pg_blocking_pids(\(self.pid)))
            ORDER BY pid
            """
        ).map(LockHolder.init)
    }
}
