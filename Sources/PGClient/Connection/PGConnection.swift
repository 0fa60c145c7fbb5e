public import Logging

/// One connection to a server, for as long as the closure that received it runs.
///
/// Statements of several tasks run one after another.
public final class PGConnection: PGQuerying {
    private struct State {
        var isOpen = true
        /// How many transactions are open, one in another.
        var depth = 0
        /// A statement delivers its results, or takes its data, while a caller's closure runs.
        var isStreaming = false
        var status = PGTransactionStatus.idle
        var session: Session
    }

    let loop: IOLoop
    let lease: Lease
    private let state: Locked<State>

    init(loop: IOLoop, lease: Lease) {
        self.loop = loop
        self.lease = lease
        self.state = Locked(State(session: lease.session))
    }

    /// Connects, runs `body`, and disconnects, without a pool.
    ///
    /// Throws what `body` throws, or `PGError` when connecting fails, which is tried once.
    @discardableResult
    public static func withConnection<R>(
        _ configuration: PGConfiguration,
        logger: Logger,
        file: StaticString = #fileID,
        line: UInt = #line,
        _ body: (PGConnection) async throws -> R
    ) async throws -> R {
        let loop = IOLoop.single(configuration, logger: logger)
        let result: R
        do {
            result = try await Self.with(loop, for: .source(file, line), body)
        } catch {
            await loop.drain()
            throw error
        }
        await loop.drain()
        return result
    }

    static func with<R>(
        _ loop: IOLoop, for caller: Caller, _ body: (PGConnection) async throws -> R
    ) async throws -> R {
        let lease = try await loop.lease(for: caller)
        let connection = PGConnection(loop: loop, lease: lease)
        defer {
            connection.state.withLock { $0.isOpen = false }
            loop.tell(.release(lease))
        }
        return try await body(connection)
    }

    @discardableResult
    public func query(_ query: PGQuery) async throws -> PGRows {
        try await self.run(.statement(query), depth: 0).rows()
    }

    /// Runs a text of one or several statements, separated by semicolons, by the simple protocol; every value in the results
    /// is text. Several statements are one transaction unless the text itself says otherwise.
    ///
    /// Nothing is escaped: whoever can choose a part of `unsafeSQL` can run anything. Throws as `query` does.
    @discardableResult
    public func simpleQuery(unsafeSQL: String) async throws -> [PGRows] {
        try await self.run(.simple(unsafeSQL), depth: 0).allRows()
    }

    /// The server process behind the connection; behind a pooler, a number that the pooler made up.
    public var backendPID: Int32 { self.lease.session.backendPID }

    /// As `150020` for 15.20.
    public var serverVersion: Int { self.lease.session.serverVersion }

    /// A setting that the server reports by itself, such as `TimeZone`, as of the last statement that may have changed it.
    public func parameterStatus(_ name: String) -> String? {
        self.state.withLock { $0.session.parameters[name] }
    }

    /// As of the end of the last statement.
    public var transactionStatus: PGTransactionStatus {
        self.state.withLock { $0.status }
    }
}

/// What connections and transactions share.
extension PGConnection {
    /// Runs a job for the transaction at `depth`, 0 being none.
    func run(_ job: @autoclosure () throws(PGError) -> Job, depth: Int) async throws -> Job {
        try self.checkTurn(depth)
        let job = try job()
        await self.loop.run(job, on: self.lease)
        self.settle(job)
        return job
    }

    /// Throws when it is not the turn of the transaction at `depth`.
    func checkTurn(_ depth: Int) throws(PGError) {
        try self.state.withLock { state throws(PGError) in
            guard state.isOpen else { throw PGError(.invalidState, message: "the connection was given back already") }
            guard state.depth == depth else { throw Self.misuse(depth, state.depth) }
            guard !state.isStreaming else {
                throw PGError(
                    .invalidState, message: "the connection is busy with rows or a COPY that its caller has not ended")
            }
        }
    }

    /// A transaction begins within the one at `depth`: statements go through it from now on.
    func enter(_ depth: Int) throws(PGError) {
        try self.state.withLock { state throws(PGError) in
            guard state.depth == depth else { throw Self.misuse(depth, state.depth) }
            state.depth += 1
        }
    }

    /// The transaction within the one at `depth` ends.
    func leave(_ depth: Int) {
        self.state.withLock { $0.depth = depth }
    }

    /// Whether the statements of others are refused for now: they would wait for their own caller.
    func setStreaming(_ isStreaming: Bool) {
        self.state.withLock { $0.isStreaming = isStreaming }
    }

    /// Takes over what the job has found out about the session.
    func settle(_ job: Job) {
        self.state.withLock { state in
            state.status = job.transactionStatus
            if let session = job.session { state.session = session }
        }
    }

    private static func misuse(_ depth: Int, _ open: Int) -> PGError {
        depth > open
            ? PGError(.invalidState, message: "the transaction has ended already")
            : PGError(
                .invalidState,
                message: "a transaction is open on this connection: its statements go through the innermost one")
    }
}
