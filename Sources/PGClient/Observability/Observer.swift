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
        let outcome = PGTracedOutcome(
            acquireTime: max(.zero, begun - requested), queryTime: max(.zero, (times.ended ?? begun) - begun),
            error: job.error)
        if !job.cameWithConnection { self.acquired(in: outcome.acquireTime) }
        if times.begun != nil {
            self.queryTimer.recordNanoseconds(outcome.queryTime.nanoseconds)
            if let slowQueryThreshold, outcome.queryTime >= slowQueryThreshold { self.logSlow(job, outcome) }
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

extension Duration {
    /// Rounded towards zero; the longest that fits for anything longer.
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (whole, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return isTooLong ? .max : whole + attoseconds / 1_000_000_000
    }
}
