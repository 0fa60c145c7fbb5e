import Logging

/// Runs reads of many tasks on a few connections, without a connection for each: `PGClient.sharedReads`.
///
/// Queries of different tasks travel in one packet and are answered in one, which takes a fraction of the work of a lease each.
/// In return only statements are accepted that change nothing, neither data nor the session: the connections are opened with
/// `default_transaction_read_only`, so that anything that writes fails with SQLSTATE 25006, and `SET`, `BEGIN` and their like
/// are refused with code `unsupported`. Functions that change the session, such as `set_config` or `pg_advisory_lock`, are not
/// noticed, and must not be used here.
///
/// Queries that travel together are one transaction for the server: `now()` is the same for them.
///
/// Behind a pooler that lends its servers by transaction, or drops the setting, reads get connections of their own, as with
/// `PGClient.query`.
public struct PGSharedReads: PGQuerying {
    private let driver: PoolDriver
    private let loop: IOLoop
    private let fallback: IOLoop

    init(_ configuration: PGConfiguration, logger: Logger, fallback: IOLoop) {
        var configuration = configuration
        let sharing = configuration.sharing
        configuration.parameters["default_transaction_read_only"] = "on"
        // One that hangs would hold up everybody else's.
        configuration.statementTimeout = configuration.statementTimeout ?? .seconds(30)
        configuration.pool.name += "-shared"
        configuration.pool.minimum = 0
        configuration.pool.maximum = max(1, sharing.connections)
        self.driver = PoolDriver(configuration, logger: logger, failsOnFirstError: false, sharing: sharing)
        self.loop = IOLoop(self.driver)
        self.fallback = fallback
    }

    /// Runs one statement that only reads.
    ///
    /// Waits for a place and throws as `PGClient.query` does. A cancelled task is resumed at once; its query, once sent, goes on
    /// until `PGConfiguration.statementTimeout`, and nothing more is queued behind it.
    @discardableResult
    public func query(_ query: PGQuery) async throws -> PGRows {
        try query.checkMayShare()
        let job = try Job.statement(query)
        await self.loop.run(job)
        if let error = job.error as? PGError, error.code == .notShareable {
            let job = try Job.statement(query)
            await self.fallback.run(job)
            return try job.rows()
        }
        return try job.rows()
    }

    /// A stream keeps a connection for as long as it is read, so it gets one of its own, as with `PGClient.withRows`.
    @discardableResult
    public func withRows<R>(of query: PGQuery, _ body: (PGRowStream) async throws -> R) async throws -> R {
        try await PGConnection.with(self.fallback, for: .statement(query.sql)) {
            try await $0.withRows(of: query, body)
        }
    }

    /// As of the last time that results were handed to their tasks.
    public var statistics: PGPoolStatistics { self.driver.statistics }

    /// As `PGClient.taskExecutor`; these reads have a thread of their own.
    public var taskExecutor: any TaskExecutor { self.loop }

    func stop() { self.loop.stop() }

    func drain() async { await self.loop.drain() }
}
