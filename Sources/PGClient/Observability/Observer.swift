import CoreMetrics
import Logging

/// Measures statements, and tells the tracer of them.
struct Observer: Sendable {
    private let acquireTimer: CoreMetrics.Timer
    private let queryTimer: CoreMetrics.Timer
    private let tracer: PGTracer?
    private let slowQueryThreshold: Duration?
    private let logger: Logger

    init(_ configuration: PGConfiguration, logger: Logger) {
        let factory = configuration.metricsFactory ?? MetricsSystem.factory
        let dimensions = [("pool", configuration.pool.name)]
        self.acquireTimer = Timer(label: "pgclient_acquire_duration", dimensions: dimensions, factory: factory)
        self.queryTimer = Timer(label: "pgclient_query_duration", dimensions: dimensions, factory: factory)
        self.tracer = configuration.tracer
        self.slowQueryThreshold = configuration.slowQueryThreshold
        self.logger = logger
    }

    /// Before the job is handed over. Call what is returned with the job when it has ended.
    func begin(_ job: Job) -> (@Sendable (PGTracedOutcome) -> Void)? {
        job.times.requested = .now
        return self.tracer.map { $0(PGTracedStatement(fingerprint: SQLFingerprint.text(of: job.sql))) }
    }

    /// After it has ended, in the task that waited for it.
    func end(_ job: Job, _ trace: (@Sendable (PGTracedOutcome) -> Void)?) {
        let times = job.times
        guard let requested = times.requested else { return }
        let begun = times.begun ?? times.ended ?? requested
        let acquireTime = max(0, begun.nanoseconds(since: requested))
        let queryTime = max(0, (times.ended ?? begun).nanoseconds(since: begun))
        if !job.cameWithConnection { self.acquireTimer.recordNanoseconds(acquireTime) }
        if times.begun != nil { self.queryTimer.recordNanoseconds(queryTime) }
        guard trace != nil || self.slowQueryThreshold != nil else { return }
        let outcome = PGTracedOutcome(
            acquireTime: .nanoseconds(acquireTime), queryTime: .nanoseconds(queryTime), error: job.error)
        if let slowQueryThreshold, times.begun != nil, outcome.queryTime >= slowQueryThreshold {
            self.logSlow(job, outcome)
        }
        trace?(outcome)
    }

    /// A connection was lent, or a caller gave up waiting for one.
    func acquired(in time: Duration) {
        self.acquireTimer.recordNanoseconds(time.nanoseconds)
    }

    private func logSlow(_ job: Job, _ outcome: PGTracedOutcome) {
        self.logger.warning(
            "a statement was slow",
            metadata: [
                "pg.statement": "\(SQLFingerprint.text(of: job.sql))",
                "pg.milliseconds": "\(outcome.queryTime.milliseconds)",
                "pg.acquire.milliseconds": "\(outcome.acquireTime.milliseconds)",
            ])
    }
}

/// When a job was asked for, begun on a connection, and ended.
struct JobTimes: Sendable {
    var requested: MonotonicInstant?
    var begun: MonotonicInstant?
    var ended: MonotonicInstant?
}
