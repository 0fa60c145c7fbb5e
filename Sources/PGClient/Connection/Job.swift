/// One statement, or one text of several by the simple protocol, on its way through a connection.
final class Job: @unchecked Sendable {
    // Written by its maker until it is posted, then by the loop's thread alone until the continuation is resumed.

    enum Work {
        case statement(Statement)
        case simple(String)
        case pipeline([Statement])
    }

    let work: Work
    /// COMMIT, ROLLBACK and the like: a cancelled task waits for them no longer than its budget, but they are not stopped.
    let isShielded: Bool
    /// The text may change what `PGConnection.parameterStatus` reports.
    let mayChangeSession: Bool
    /// Nobody waits for it: the loop made it to clean a connection up.
    var isInternal = false
    /// How long a job of the loop's own may take, if not as long as cancelling.
    var timeLimit: Duration?
    var continuation: UnsafeContinuation<Void, Never>?
    /// Where results go while the statement runs; nil keeps them in the job until it ends.
    var delivery: Delivery?
    /// The task takes no more of what is delivered.
    var isLeft = false
    let handover = Handover()
    /// Its task prefers a loop's thread.
    var cameFromLoop = false

    var times = JobTimes()
    /// What to tell the tracer at the end, of a job that delivers.
    var trace: (@Sendable (PGTracedOutcome) -> Void)?
    /// Its caller had borrowed the connection before.
    var cameWithConnection = false
    var isCancelled = false
    var startedInTransaction = false
    /// At least a part of it may have reached the server.
    var wasSent = false
    var isFinished = false
    /// The place in the pool's queue, for a job that came without a connection.
    var ticket: Int?
    /// Where it runs, or waits to run.
    var channel: Channel?

    /// Of a pipeline, as far as its statements have ended.
    var outcomes: [Result<PGRows, PGError>] = []
    /// A stale plan was replaced already: once is enough.
    var hasNewPlan = false

    private(set) var first: PGResult?
    private(set) var rest: [PGResult] = []
    var error: (any Error)?
    var transactionStatus = PGTransactionStatus.unknown
    var session: Session?

    init(_ work: Work, isShielded: Bool = false, mayChangeSession: Bool = false) {
        self.work = work
        self.isShielded = isShielded
        self.mayChangeSession = mayChangeSession
    }

    static func statement(_ query: PGQuery) throws(PGError) -> Job {
        try query.validate()
        return Job(.statement(Statement(query)))
    }

    static func simple(
        _ sql: String, isShielded: Bool = false, mayChangeSession: Bool = true
    ) throws(PGError) -> Job {
        try PGQuery(unsafeSQL: sql).validate()
        return Job(.simple(sql), isShielded: isShielded, mayChangeSession: mayChangeSession)
    }

    static func pipeline(_ queries: [PGQuery]) throws(PGError) -> Job {
        for query in queries { try query.validate() }
        return Job(.pipeline(queries.map(Statement.init)))
    }

    var sql: String {
        switch self.work {
        case .statement(let statement): statement.query.sql
        case .simple(let sql): sql
        case .pipeline(let statements): statements.first?.query.sql ?? ""
        }
    }

    /// Whether something was left undone, so that the task is to be told of its cancellation instead of the outcome.
    func wasStopped(_ error: PGError?) -> Bool {
        guard case .pipeline(let statements) = self.work else {
            return error?.sqlState == "57014" || self.first == nil && error == nil
        }
        return self.outcomes.count < statements.count
            || self.outcomes.contains { if case .failure(let error) = $0 { error.sqlState == "57014" } else { false } }
    }

    func add(_ result: PGResult) {
        if self.first == nil {
            self.first = result
        } else {
            self.rest.append(result)
        }
    }

    /// Back to the start, for running it again.
    func forget() {
        self.first = nil
        self.rest = []
        self.error = nil
    }

    func rows() throws -> PGRows {
        if let error { throw error }
        guard let first else { throw PGError(.connection, message: "the server sent no result", query: self.sql) }
        return PGRows(first)
    }

    func allRows() throws -> [PGRows] {
        if let error { throw error }
        return (self.first.map { [$0] } ?? []).map(PGRows.init) + self.rest.map(PGRows.init)
    }
}

/// The way from the loop back to a task. What the loop wrote before comes before what the resumed task reads, and what the loop
/// does to resume it before all that the task does then.
///
/// The runtime sees to both, which ThreadSanitizer does not see: it is shown by a lock.
struct Handover: ~Copyable, Sendable {
    #if THREAD_SANITIZER
    // Of a value with a size: one without has the address of another.
    private let order = Locked(false)

    func resume(_ continuation: UnsafeContinuation<Void, Never>?) {
        self.order.withLock { _ in continuation?.resume() }
    }

    func take() { self.order.withLock { _ in } }
    #else
    /// By the loop.
    func resume(_ continuation: UnsafeContinuation<Void, Never>?) { continuation?.resume() }

    /// By the task, right after it was resumed.
    func take() {}
    #endif
}
