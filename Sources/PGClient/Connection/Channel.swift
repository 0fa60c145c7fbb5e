import CLibPQ
import DequeModule
import Glibc

/// One connection to a server, driven by the I/O thread: `Channel+Connecting` opens it, `Channel+Running` runs statements.
///
/// Others merely carry the reference. What every query changes is not watched for overlapping accesses (docs/decisions/0015).
final class Channel: @unchecked Sendable {  // only the loop's thread looks inside
    typealias Instant = MonotonicInstant

    enum State {
        case resolving
        case connecting
        case open
        /// Its caller has gone while a query runs on: it is waited for the end of that for a while, and closed.
        case quarantined
        case closed
    }

    /// What the running job waits for.
    enum Step {
        case none
        /// Statements that nobody will use again are being forgotten, before another is prepared, or a transaction begins.
        case deallocating(StatementCache.Entry?)
        case preparing(StatementCache.Entry)
        /// The server is asked who it is, before the first statement is prepared.
        case askingServer
        case executing(StatementCache.Entry?)
        case copyingOut(Inflow<[UInt8]>)
        case copyingIn(Outflow)
        /// As many statements of the job's pipeline have been sent.
        case pipelining(sent: Int)
        /// The query has ended, but a request to cancel it is still under way and must not hit the next one.
        case awaitingCancelRequest
    }

    let id: Int
    // Owned by the loop, on whose thread alone it is used.
    unowned(unsafe) let driver: PoolDriver
    let notices: NoticeSink
    var state = State.resolving
    var parameters: ConnectParameters?
    var connection: OpaquePointer?
    /// The servers that are still to be tried, and what became of the others.
    var attempts: [ConnectParameters] = []
    var attemptErrors: [PGError] = []
    var phase = PGConnectPhase.resolve
    /// When the attempt that is under way has taken too long, whatever its phase.
    var attemptDeadline = Instant.now
    /// When connecting, or waiting for a cancelled query to stop, has taken too long; or the time for the next try to cancel.
    var deadline: Instant?
    var session: Session?
    var failure: PGError?

    /// The loan that the channel is out on.
    var lease: Int?
    var job: Job?
    var step = Step.none
    @exclusivity(unchecked) var pending: Deque<Job> = []
    var firstError: PGError?
    @exclusivity(unchecked) var statements: StatementCache
    /// The job was sent outside of a transaction, so that it can be sent again when its plan was stale.
    var isRepeatable = false
    /// To be undone before somebody else gets the connection.
    var dirt: SessionDirt = []
    @exclusivity(unchecked) var pipeline = Pipeline()
    /// What the server answered when it was asked who it is.
    var probe: Probe?
    /// The pool was told that the connection is there.
    var isIntroduced = false
    /// It is given no more work.
    var isRetiring = false
    var isCancelRequestUnderWay = false
    var giveUpAt: Instant?
    /// When a connection in quarantine is closed, whatever its server does.
    var quarantineEnd = Instant.now
    /// Gets the connection when the server has answered the question whether it is there.
    var candidate: PoolRequest?

    /// Where notifications go, on a loan that asked for them.
    var notifications: Inflow<PGNotification>?
    /// Nothing is read until the task that it is for has made room.
    var isHeldBack = false
    var pollEvents: Int16 = 0
    /// The socket to watch; -1 for none. It may change while connecting.
    var descriptor: Int32 = -1

    init(id: Int, driver: PoolDriver) {
        self.id = id
        self.driver = driver
        self.notices = NoticeSink(handler: driver.configuration.noticeHandler, logger: driver.logger)
        self.statements = StatementCache(capacity: driver.configuration.statementCacheCapacity)
    }

    deinit {
        if let connection { PQfinish(connection) }
    }

    var isOpen: Bool { self.state == .open }

    /// What `poll` is asked; it passes over a descriptor of -1.
    var interest: pollfd {
        pollfd(fd: self.isHeldBack ? -1 : self.descriptor, events: self.pollEvents, revents: 0)
    }

    var isPipelining: Bool {
        if case .pipelining = self.step { true } else { self.isShared }
    }

    /// Acts on what `poll` reported for the socket.
    func handle(_ events: Int16) {
        switch self.state {
        case .connecting:
            self.advance()
        case .open:
            if events & Int16(POLLOUT) != 0 {
                self.flush()
                self.sendCopyData()
            }
            if events & ~Int16(POLLOUT) != 0 && self.isOpen { self.receive() }
        case .quarantined:
            self.readOut()
        case .resolving, .closed:
            break
        }
    }

    func deadlinePassed() {
        switch self.state {
        case .resolving, .connecting: self.connectTimedOut()
        case .open where self.isShared:
            self.fail(PGError(.connection, message: "the server has not answered for longer than a statement may take"))
        case .open: self.cancelDeadlinePassed()
        case .quarantined: self.quarantineDeadlinePassed()
        case .closed: self.deadline = nil
        }
    }

    /// Ends a session that has nothing to do.
    func close() {
        self.abandon(.poolClosed)
    }

    /// The connection is of no more use: whoever waits for it is told, and so is the pool.
    func fail(_ error: PGError) {
        guard self.state != .closed else { return }
        self.abandon(error)
        if self.isIntroduced {
            self.driver.lost(self, error)
        } else {
            self.driver.connectFailed(self, error)
        }
    }

    private func abandon(_ error: PGError) {
        guard self.state != .closed else { return }
        self.state = .closed
        self.failure = error
        self.descriptor = -1
        self.deadline = nil
        if let connection { PQfinish(connection) }
        self.connection = nil
        self.finishAll(error)
    }

    /// Whoever waits for the connection is told that it is of no more use.
    func finishAll(_ error: PGError) {
        self.isHeldBack = false
        self.stopWatching(error)
        let jobs = (self.job.map { [$0] } ?? []) + self.pipeline.jobs + self.pending
        self.pipeline = Pipeline()
        self.job = nil
        self.pending = []
        for job in jobs {
            self.driver.finish(
                job, job.isCancelled && !job.isShielded ? CancellationError() : error.with(query: job.sql))
        }
    }
}
