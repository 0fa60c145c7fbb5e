public import Logging
import Synchronization

/// A pool of connections to one database.
///
/// Connections are made as they are needed. `run()` keeps the minimum of them and shuts the pool down in an orderly way; without
/// it the pool works all the same, and ends at once when the last reference goes.
public final class PGClient: PGQuerying {
    private let driver: PoolDriver
    private let loop: IOLoop
    let configuration: PGConfiguration
    let logger: Logger

    /// Reads that share connections with those of other tasks: several times as fast when there are many.
    public let sharedReads: PGSharedReads

    /// Nothing is connected or checked yet.
    public init(_ configuration: PGConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        self.driver = PoolDriver(configuration, logger: logger, failsOnFirstError: false)
        self.loop = IOLoop(self.driver)
        self.sharedReads = PGSharedReads(configuration, logger: logger, fallback: self.loop)
    }

    deinit {
        self.loop.stop()
        self.sharedReads.stop()
    }

    /// Keeps the pool until the task is cancelled. Then no caller is taken any more (`poolClosed`), those who wait are served
    /// still, and it returns when all connections are back, or after `PGPoolConfiguration.drainTimeout`.
    public func run() async {
        do {
            try self.loop.post(.keep)
        } catch {
            guard error.code != .poolClosed else { return }
            self.logger.error(
                "the pool does not keep its minimum of connections", metadata: ["error": "\(String(reflecting: error))"]
            )
        }
        let (never, continuation) = AsyncStream<Never>.makeStream()
        for await _ in never {}
        continuation.finish()
        async let shared: Void = self.sharedReads.drain()
        await self.loop.drain()
        await shared
    }

    /// Runs one statement on whichever connection is free, by itself.
    ///
    /// Waits up to `PGPoolConfiguration.acquireTimeout` for one. Throws `PGError` with code `acquireTimeout`, `poolSaturated`,
    /// `poolClosed` or `connection` when there is none, and otherwise as `PGQuerying.query` does.
    @discardableResult
    public func query(_ query: PGQuery) async throws -> PGRows {
        let job = try Job.statement(query)
        await self.loop.run(job)
        return try job.rows()
    }

    /// Lends a connection for the length of `body`. Waits and throws for it as `query` does.
    ///
    /// A transaction that `body` leaves open is rolled back, and what else it leaves behind in the session is undone. While the connection
    /// is lent, errors of the pool name `file` and `line` as the place that has it.
    @discardableResult
    public func withConnection<R>(
        file: StaticString = #fileID, line: UInt = #line, _ body: (PGConnection) async throws -> R
    ) async throws -> R {
        try await PGConnection.with(self.loop, for: .source(file, line), body)
    }

    /// Runs `body` in a transaction of its own: `withConnection` and `PGConnection.withTransaction` in one.
    ///
    /// Each attempt of `retry` takes a connection anew, so that nobody's pause holds one. With `markers` a connection that is lost during
    /// COMMIT is no `commitInDoubt` as long as the server can be asked what happened: a transaction that was committed returns, one that
    /// was not throws `connection`.
    @discardableResult
    public func withTransaction<R>(
        isolation: PGIsolation? = nil,
        readOnly: Bool = false,
        deferrable: Bool = false,
        retry: PGRetry? = nil,
        markers: PGCommitMarkers? = nil,
        file: StaticString = #fileID,
        line: UInt = #line,
        _ body: (PGTransaction) async throws -> R
    ) async throws -> R {
        let modes = TransactionModes(isolation: isolation, readOnly: readOnly, deferrable: deferrable)
        return try await PGRetry.run(retry) {
            if let markers {
                return try await self.withMarkedTransaction(markers, modes, file: file, line: line, body)
            }
            return try await self.withConnection(file: file, line: line) { try await $0.withTransaction(modes, body) }
        }
    }

    /// As `PGConnection.simpleQuery`, on whichever connection is free.
    @discardableResult
    public func simpleQuery(unsafeSQL: String) async throws -> [PGRows] {
        try await self.with(unsafeSQL) { try await $0.simpleQuery(unsafeSQL: unsafeSQL) }
    }

    /// As `PGConnection.withRows`, on whichever connection is free.
    @discardableResult
    public func withRows<R>(of query: PGQuery, _ body: (PGRowStream) async throws -> R) async throws -> R {
        try await self.with(query.sql) { try await $0.withRows(of: query, body) }
    }

    /// As `PGConnection.copyOut`, on whichever connection is free.
    @discardableResult
    public func copyOut<R>(_ query: PGQuery, _ body: (PGCopyData) async throws -> R) async throws -> R {
        try await self.with(query.sql) { try await $0.copyOut(query, body) }
    }

    /// As `PGConnection.copyIn`, on whichever connection is free.
    @discardableResult
    public func copyIn(_ query: PGQuery, _ body: (PGCopyWriter) async throws -> Void) async throws -> Int {
        try await self.with(query.sql) { try await $0.copyIn(query, body) }
    }

    /// Lends a connection for one statement.
    private func with<R>(_ sql: String, _ body: (PGConnection) async throws -> R) async throws -> R {
        try await PGConnection.with(self.loop, for: .statement(sql), body)
    }

    /// Runs tasks on the thread that does the pool's input and output: for `withTaskExecutorPreference` and
    /// `Task(executorPreference:)` (SE-0417).
    ///
    /// Such a task goes on without a thread that is woken for it, which for small queries is a third of what they cost the client. For
    /// tasks that do little but ask: nobody's results are read while one computes or blocks. The pool's logger tells when that takes
    /// longer than 100 ms. When the pool has ended, its tasks go on on the threads that all share.
    public var taskExecutor: any TaskExecutor { self.loop }

    /// How often the pool's thread has polled.
    var turns: Int { self.loop.turns.load(ordering: .relaxed) }

    /// As of the last time that results were handed to their tasks.
    public var statistics: PGPoolStatistics { self.driver.statistics }
}
