import Glibc
import Logging

/// Carries out on the I/O thread what the pool's rules decide.
///
/// Only the loop's thread touches it, but for `statistics`. What every query changes is not watched for overlapping accesses
/// (docs/decisions/0015).
final class PoolDriver: @unchecked Sendable {  // owned by the loop's thread; `published` is locked
    typealias Instant = MonotonicInstant

    let configuration: PGConfiguration
    let logger: Logger
    /// Set when the connections are not lent but shared by all callers.
    let sharing: PGSharingConfiguration?
    @exclusivity(unchecked) var machine: PoolMachine<PoolRequest>
    private let published = Locked(PGPoolStatistics())
    /// Set by the loop when its thread starts; the loop owns the driver.
    unowned(unsafe) var loop: IOLoop?

    @exclusivity(unchecked) private(set) var channels: [Channel] = []
    private(set) var now = Instant.now
    private(set) var isFinished = false
    @exclusivity(unchecked) private var finished: FinishedWork
    private var drainWaiters: [UnsafeContinuation<Void, Never>] = []
    private var drainDeadline: Instant?
    private var leases = 0
    private var hasWarnedOfPooler = false
    private var haveTasksRun = false
    /// How long tasks may keep the thread from everything else before the log tells.
    private var tolerance = Duration.milliseconds(100)
    /// Of those that are shared.
    var batchSize: BatchSize
    /// The one that was given the last of them, and may be given more before they are sent.
    var loading: Channel?

    init(
        _ configuration: PGConfiguration, logger: Logger, failsOnFirstError: Bool,
        sharing: PGSharingConfiguration? = nil, resumer: Resumer? = Resumer.isWorthwhile ? Resumer() : nil
    ) {
        self.configuration = configuration
        self.logger = logger
        self.sharing = sharing
        self.finished = FinishedWork(resumer: resumer)
        self.batchSize = BatchSize(limit: sharing?.depth ?? 1)
        self.machine = PoolMachine(limits: configuration.pool, failsOnFirstError: failsOnFirstError)
    }

    /// As of the last time that tasks were resumed.
    var statistics: PGPoolStatistics { self.published.withLock { $0 } }

    // MARK: Called by the loop

    func updateTime() { self.now = .now }

    func handle(_ command: IOLoop.Command) {
        switch command {
        case .request(let request):
            self.admit(request)
        case .task(let task):
            guard !self.isFinished, let loop else { return globalConcurrentExecutor.enqueue(ExecutorJob(task)) }
            task.runSynchronously(on: loop.asUnownedTaskExecutor())
            self.haveTasksRun = true
        case .cancel(.job(let job)):
            self.cancel(job)
        case .cancel(.lease(let lease)):
            lease.isCancelled = true
            if self.withdrawCandidate(where: { if case .lease(let other) = $0 { other === lease } else { false } }) {
                return self.finish(lease, .failure(CancellationError()))
            }
            guard let ticket = lease.ticket, self.machine.cancel(ticket) != nil else { return }
            self.finish(lease, .failure(CancellationError()))
        case .run(let job, let lease):
            guard lease.channel.lease == lease.number else {
                return self.finish(
                    job, PGError(.invalidState, message: "the connection was given back", query: job.sql))
            }
            lease.channel.run(job)
        case .goOn(let job):
            job.channel?.goOn(job)
        case .leave(let job):
            job.channel?.leave(job)
        case .watch(let lease, let inflow):
            guard lease.channel.lease == lease.number else {
                return inflow.finish(PGError(.invalidState, message: "the connection was given back"))
            }
            lease.channel.watch(inflow)
        case .readOn(let lease):
            if lease.channel.lease == lease.number { lease.channel.readOn() }
        case .release(let lease):
            guard lease.channel.lease == lease.number else { return }
            lease.channel.lease = nil
            lease.channel.stopWatching(PGError(.invalidState, message: "the connection was given back"))
            self.giveBack(lease.channel)
        case .resolved(let channel, let result):
            channel.resolved(result)
        case .cancelRequestEnded(let channel):
            channel.cancelRequestEnded()
        case .keep:
            self.perform(self.machine.keep(now: self.now))
        case .drain(let continuation):
            guard !self.isFinished else { return continuation.resume() }
            self.drainWaiters.append(continuation)
            if self.drainDeadline == nil { self.drainDeadline = self.now + self.configuration.pool.drainTimeout }
            self.perform(self.machine.drain())
        case .stop:
            self.perform(self.machine.abort())
        }
    }

    /// While tasks that prefer the thread ran, since it polled, nobody else was served.
    func noteTasks() {
        guard self.haveTasksRun else { return }
        self.haveTasksRun = false
        let begun = self.now
        self.updateTime()
        let time = self.now - begun
        guard time > self.tolerance else { return }
        // Told again only when it gets much worse: it must not fill the log.
        self.tolerance = time * 2
        self.logger.warning(
            "tasks on the pool's thread kept it from its connections",
            metadata: ["pg.milliseconds": "\(time.milliseconds)"])
    }

    func checkDeadlines() {
        if self.machine.isDraining || self.machine.nextDeadline.map({ $0 <= self.now }) ?? false {
            self.perform(self.machine.tick(now: self.now))
        }
        for channel in self.channels {
            if let deadline = channel.deadline, deadline <= self.now { channel.deadlinePassed() }
        }
        if let drainDeadline, drainDeadline <= self.now, !self.isFinished {
            self.logger.warning("connections were still in use when the pool was shut down")
            self.perform(self.machine.abort())
        }
    }

    /// Milliseconds until something is due, for `poll`; -1 when nothing is.
    func pollTimeout() -> Int32 {
        var next = self.machine.nextDeadline
        func consider(_ deadline: Instant?) {
            guard let deadline else { return }
            next = next.map { min($0, deadline) } ?? deadline
        }
        for channel in self.channels { consider(channel.deadline) }
        consider(self.drainDeadline)
        consider(self.finished.dueTime)
        guard let next else { return -1 }
        return Int32(clamping: max(0, (next - .now).milliseconds))
    }

    /// Resumes the tasks whose work is done, after the servers have been given their next.
    func resumeWaiting() {
        let statistics = self.machine.statistics
        self.published.withLock { $0 = statistics }
        self.finished.resume(now: self.now, areServersBusy: !self.isFinished && self.areServersBusy)
        guard self.isFinished else { return }
        self.finished.stop()
        for waiter in self.drainWaiters { waiter.resume() }
        self.drainWaiters = []
    }

    // MARK: Called by channels

    func connected(_ channel: Channel) {
        let random = Double.random(in: 0...1)
        self.perform(self.machine.connected(channel.id, now: self.now, random: random))
    }

    func connectFailed(_ channel: Channel, _ error: PGError) {
        self.channels.removeAll { $0 === channel }
        let random = Double.random(in: 0...1)
        let actions = self.machine.connectFailed(channel.id, error, now: self.now, random: random)
        let attempts = self.machine.failure?.attempts ?? 1
        // The first failure, the second, the fourth and so on: an outage must not fill the log.
        if attempts & (attempts - 1) == 0 {
            let metadata: Logger.Metadata = [
                "pg.attempts": "\(attempts)", "error": "\(String(reflecting: error))",
            ]
            if error.code == .notShareable {
                self.logger.info("reads do not share connections", metadata: metadata)
            } else {
                self.logger.warning("connecting to the database failed", metadata: metadata)
            }
        }
        self.perform(actions)
    }

    /// The channel is closed. One that is on loan is missed by the pool when it comes back.
    func lost(_ channel: Channel, _ error: PGError) {
        self.channels.removeAll { $0 === channel }
        self.logger.info("a database connection was lost", metadata: ["error": "\(String(reflecting: error))"])
        if let candidate = channel.candidate {
            channel.candidate = nil
            let (ticket, actions) = self.machine.refused(channel.id, now: self.now)
            candidate.ticket = ticket
            return self.perform(actions)
        }
        guard channel.lease == nil else { return }
        self.perform(self.machine.release(channel.id, isUsable: false, now: self.now))
    }

    /// What was left behind is being undone, perhaps on another server than that which has it.
    func warnOfPooler(_ dirt: SessionDirt) {
        guard !self.hasWarnedOfPooler else { return }
        self.hasWarnedOfPooler = true
        self.logger.warning(
            "a statement changed its session, which behind a pooler may be anybody's next",
            metadata: ["pg.cleaning": "\(dirt.cleaning)"])
    }

    /// The channel's caller has gone, and its query goes on.
    func quarantined(_ channel: Channel, _ error: PGError) {
        self.logger.info("a query did not stop in time", metadata: ["error": "\(String(reflecting: error))"])
        self.perform(self.machine.quarantine(channel.id, now: self.now))
    }

    func quarantineEnded(_ channel: Channel) {
        self.channels.removeAll { $0 === channel }
        self.perform(self.machine.lost(channel.id, now: self.now))
    }

    func finish(_ job: Job, _ error: (any Error)?) {
        guard !job.isFinished else { return }
        job.isFinished = true
        job.channel = nil
        job.times.ended = self.now
        if let error { job.error = error }
        job.delivery?.finish(job.error)
        if job.continuation != nil { self.finished.append(.job(job)) }
    }

    /// A connection has nothing to do any more for the one who had it.
    func giveBack(_ channel: Channel) {
        // The pool knows already of one in quarantine.
        guard channel.state != .quarantined else { return }
        if channel.isOpen, let candidate = channel.candidate {
            channel.candidate = nil
            self.machine.handed()
            return self.hand(channel, to: candidate)
        }
        guard channel.isOpen else {
            return self.perform(self.machine.release(channel.id, isUsable: false, now: self.now))
        }
        guard channel.clean() else { return }
        self.perform(self.machine.release(channel.id, isUsable: true, now: self.now))
    }

    // MARK: Inside

    private func admit(_ request: PoolRequest) {
        switch request {
        case .job(let job) where job.isCancelled:
            return self.finish(job, CancellationError())
        case .lease(let lease) where lease.isCancelled:
            return self.finish(lease, .failure(CancellationError()))
        default:
            break
        }
        guard !self.joinBatch(request) else { return }
        let (ticket, actions) = self.machine.request(request, now: self.now)
        request.ticket = ticket
        self.perform(actions)
    }

    func cancel(_ job: Job) {
        guard !job.isFinished else { return }
        job.isCancelled = true
        if let channel = job.channel {
            channel.cancel(job)
        } else if self.withdrawCandidate(where: { if case .job(let other) = $0 { other === job } else { false } }) {
            self.finish(job, CancellationError())
        } else if let ticket = job.ticket, self.machine.cancel(ticket) != nil {
            self.finish(job, CancellationError())
        }
    }

    func perform(_ actions: PoolMachine<PoolRequest>.Actions) {
        actions.forEach { self.perform($0) }
    }

    private func perform(_ action: PoolMachine<PoolRequest>.Action) {
        switch action {
        case .connect(let id):
            let channel = Channel(id: id, driver: self)
            self.channels.append(channel)
            channel.connect()
        case .hand(let id, let request):
            guard let channel = self.channel(id) else { return }
            self.hand(channel, to: request)
        case .check(let id, let request):
            guard let channel = self.channel(id) else { return }
            // Of those that are shared a silent one is found out by its statements.
            guard self.sharing == nil else {
                self.machine.handed()
                return self.hand(channel, to: request)
            }
            channel.candidate = request
            channel.ping()
        case .close(let id):
            guard let channel = self.channel(id) else { return }
            self.channels.removeAll { $0 === channel }
            channel.close()
            guard let candidate = channel.candidate else { return }
            channel.candidate = nil
            self.perform(.fail(candidate, .poolClosed))
        case .fail(.job(let job), let error):
            self.finish(job, error.with(query: job.sql))
        case .fail(.lease(let lease), let error):
            self.finish(lease, .failure(error))
        case .finished:
            self.isFinished = true
            self.drainDeadline = nil
        }
    }

    private func channel(_ id: Int) -> Channel? { self.channels.first { $0.id == id } }

    /// The caller that a connection is being checked for wants it no more.
    private func withdrawCandidate(where isCaller: (PoolRequest) -> Bool) -> Bool {
        guard let channel = self.channels.first(where: { $0.candidate.map(isCaller) ?? false }) else { return false }
        channel.candidate = nil
        return true
    }

    func hand(_ channel: Channel, to request: PoolRequest) {
        request.ticket = nil
        switch request {
        case .job(let job) where self.sharing != nil:
            job.times.begun = self.now
            channel.share(job)
            self.loading = channel
        case .job(let job):
            channel.run(job)
        case .lease(let lease):
            guard let session = channel.session else { return }
            self.leases += 1
            channel.lease = self.leases
            lease.channel = channel
            self.finish(lease, .success(Lease(channel: channel, number: self.leases, session: session)))
        }
    }

    private func finish(_ lease: LeaseRequest, _ outcome: Result<Lease, any Error>) {
        lease.ticket = nil
        lease.outcome = outcome
        self.finished.append(.lease(lease))
    }
}
