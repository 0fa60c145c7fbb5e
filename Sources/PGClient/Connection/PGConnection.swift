public import Logging

/// One connection to a server, for as long as the closure that received it runs.
///
/// Statements of several tasks run one after another.
public final class PGConnection: PGQuerying {
    private struct State {
        var isOpen = true
        /// How many transactions are open, one in another.
        var depth = 0
        /// The innermost of them begins or ends, and takes no statements.
        var isChanging = false
        /// A statement delivers its results, or takes its data, while a caller's closure runs.
        var isStreaming = false
        var status = PGTransactionStatus.idle
        var session: Session

        /// Throws when no statement can be sent by anybody.
        func checkUse() throws(PGError) {
            guard self.isOpen else { throw PGError(.invalidState, message: "the connection was given back already") }
            guard !self.isStreaming else {
                throw PGError(
                    .invalidState, message: "the connection is busy with rows or a COPY that its caller has not ended")
            }
        }

        /// Throws when it is not the turn of the transaction at `depth`, 0 being none.
        func checkTurn(_ depth: Int) throws(PGError) {
            guard depth >= self.depth else {
                throw PGError(
                    .invalidState,
                    message: "a transaction is open on this connection: its statements go through the innermost one")
            }
            guard depth == self.depth, !self.isChanging else {
                throw PGError(.invalidState, message: "the transaction has ended already")
            }
            try self.checkUse()
        }
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
        try await self.run(Job.statement(query), depth: 0).rows()
    }

    /// Runs a text of one or several statements, separated by semicolons, by the simple protocol; every value in the results
    /// is text. Several statements are one transaction unless the text itself says otherwise.
    ///
    /// Nothing is escaped: whoever can choose a part of `unsafeSQL` can run anything. Throws as `query` does.
    @discardableResult
    public func simpleQuery(unsafeSQL: String) async throws -> [PGRows] {
        try await self.run(Job.simple(unsafeSQL), depth: 0).allRows()
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

/// What connections and transactions share. Whether a statement may be sent is looked at in the moment in which it is, so that those of
/// several tasks cannot slip past each other.
extension PGConnection {
    /// Runs a job for the transaction at `depth`, 0 being none. Throws when it is not its turn.
    func run(_ job: Job, depth: Int) async throws -> Job {
        try await self.run(job) { state throws(PGError) in try state.checkTurn(depth) }
    }

    /// Posts a job that delivers to a closure of its caller. Until `endStreaming` statements of others are refused, which would wait for
    /// that closure.
    func stream(_ job: Job, depth: Int) throws(PGError) {
        job.cameWithConnection = true
        try self.state.withLock { state throws(PGError) in
            try state.checkTurn(depth)
            try self.loop.post(.run(job, self.lease))
            state.isStreaming = true
        }
    }

    func endStreaming(_ job: Job) {
        self.settle(job)
        self.state.withLock { $0.isStreaming = false }
    }

    /// A transaction within the one at `depth` begins: statements are for neither until it `isOpen`.
    func enter(_ depth: Int) throws(PGError) {
        try self.state.withLock { state throws(PGError) in
            try state.checkTurn(depth)
            state.depth += 1
            state.isChanging = true
        }
    }

    /// The innermost transaction takes statements, or ends and takes no more.
    func setOpen(_ isOpen: Bool) {
        self.state.withLock { $0.isChanging = !isOpen }
    }

    /// The transaction within the one at `depth` is over.
    func leave(_ depth: Int) {
        self.state.withLock { state in
            state.depth = depth
            state.isChanging = false
        }
    }

    /// Runs what begins or ends the innermost transaction.
    func runChange(_ job: Job) async throws -> Job {
        try await self.run(job) { state throws(PGError) in try state.checkUse() }
    }

    private func run(_ job: Job, _ check: (State) throws(PGError) -> Void) async throws -> Job {
        var refusal: PGError?
        job.cameWithConnection = true
        await self.loop.run(job) { () throws(PGError) in
            do throws(PGError) {
                try self.state.withLock { state throws(PGError) in
                    try check(state)
                    try self.loop.post(.run(job, self.lease))
                }
            } catch {
                refusal = error
                throw error
            }
        }
        if let refusal { throw refusal }
        self.settle(job)
        return job
    }

    /// Takes over what the job has found out about the session.
    private func settle(_ job: Job) {
        self.state.withLock { state in
            state.status = job.transactionStatus
            if let session = job.session { state.session = session }
        }
    }
}
