import DequeModule

/// The rules of the pool and nothing else: no clock, no input or output, no lock.
///
/// Each function is told what happened and when, and returns what is to be done about it. Connections are known by numbers
/// that are never used twice; `Request` is whatever waits for one.
struct PoolMachine<Request> {
    typealias Instant = MonotonicInstant

    enum Action {
        case connect(Int)
        case hand(Int, to: Request)
        case close(Int)
        case fail(Request, PGError)
        /// The last connection of a pool that is being shut down is gone.
        case finished
    }

    struct Connection {
        enum State: Equatable {
            case connecting
            case idle(since: Instant)
            case leased(since: Instant)
        }

        let id: Int
        var state: State
        var expiresAt: Instant
    }

    struct Failure {
        let since: Instant
        var attempts: Int
        var nextAttempt: Instant
        var error: PGError
    }

    struct Waiter {
        var request: Request?
        let deadline: Instant
    }

    let limits: PGPoolConfiguration
    /// A failed attempt to connect fails those who wait, instead of being tried again: for a connection without a pool.
    let failsOnFirstError: Bool

    var connections: [Connection] = []
    /// Connections with nothing to do; the last one is taken first, so that what is not needed grows old.
    var idle: [Int] = []
    var failure: Failure?
    var counters = PGPoolStatistics()
    /// Whether the minimum is kept.
    var isKept = false
    var isDraining = false

    /// First come, first served. A cancelled waiter leaves a gap, so that the place of a ticket stays known.
    private var queue: Deque<Waiter> = []
    private var firstTicket = 0
    private(set) var waiting = 0
    private var lastID = 0

    init(limits: PGPoolConfiguration, failsOnFirstError: Bool = false) {
        self.limits = limits
        self.failsOnFirstError = failsOnFirstError
    }

    // MARK: What callers do

    /// A caller wants a connection. The ticket is nil when it does not have to wait.
    mutating func request(_ request: Request, now: Instant) -> (ticket: Int?, actions: Actions) {
        guard !self.isDraining else {
            return (nil, Actions(.fail(request, PGError(.poolClosed, message: "the pool is shut down"))))
        }
        if self.waiting == 0, let id = self.idle.popLast() {
            return (nil, Actions(self.lease(id, to: request, now: now)))
        }
        if let error = self.hopeless(now: now) {
            return (nil, Actions(.fail(request, error)))
        }
        let mayGrow = self.connections.count < self.limits.maximum && self.failure == nil
        guard mayGrow || self.waiting < self.limits.queueLimit else {
            self.counters.refused += 1
            let message = "\(self.waiting) callers wait already; \(self.load(now: now))"
            return (nil, Actions(.fail(request, PGError(.poolSaturated, message: message))))
        }
        let ticket = self.firstTicket + self.queue.count
        self.queue.append(Waiter(request: request, deadline: now + self.limits.acquireTimeout))
        self.waiting += 1
        return (ticket, self.grow(now: now))
    }

    /// A caller no longer waits. Returns its request, nil when it was served already.
    mutating func cancel(_ ticket: Int) -> Request? {
        let index = ticket - self.firstTicket
        guard index >= 0, index < self.queue.count, let request = self.queue[index].request else { return nil }
        self.queue[index].request = nil
        self.waiting -= 1
        self.counters.cancelled += 1
        self.dropGaps()
        return request
    }

    /// A caller gives a connection back. What cannot be used again must be closed already.
    mutating func release(_ id: Int, isUsable: Bool, now: Instant) -> Actions {
        guard let index = self.index(of: id) else { return Actions() }
        guard isUsable else { return self.lost(id, now: now) }
        guard self.connections[index].expiresAt > now, !(self.isDraining && self.waiting == 0) else {
            self.connections.remove(at: index)
            return Actions(.close(id)) + self.grow(now: now) + self.finishedIfEmpty()
        }
        return Actions(self.offer(id, now: now))
    }

    /// A connection that is in use, and that several callers may use at a time, takes one more of those who wait.
    mutating func handMore(_ id: Int, now: Instant) -> Actions {
        guard let index = self.index(of: id), self.connections[index].expiresAt > now, let request = self.popWaiter()
        else { return Actions() }
        self.counters.acquired += 1
        return Actions(.hand(id, to: request))
    }

    // MARK: What connections do

    /// An attempt to connect succeeded. `random` is from 0 to 1.
    mutating func connected(_ id: Int, now: Instant, random: Double) -> Actions {
        guard let index = self.index(of: id) else { return Actions(.close(id)) }
        self.failure = nil
        self.counters.connectionsMade += 1
        self.connections[index].expiresAt =
            now + self.limits.maximumLifetime * (1 - self.limits.lifetimeJitter * random)
        if self.isDraining && self.waiting == 0 {
            self.connections.remove(at: index)
            return Actions(.close(id)) + self.finishedIfEmpty()
        }
        return Actions(self.offer(id, now: now)) + self.grow(now: now)
    }

    /// An attempt to connect failed. `random` is from 0 to 1.
    mutating func connectFailed(_ id: Int, _ error: PGError, now: Instant, random: Double) -> Actions {
        self.remove(id)
        self.counters.connectionsFailed += 1
        let attempts = (self.failure?.attempts ?? 0) + 1
        let longest = min(self.limits.maximumBackoff, self.limits.initialBackoff * Double(1 << min(attempts - 1, 20)))
        self.failure = Failure(
            since: self.failure?.since ?? now,
            attempts: attempts,
            nextAttempt: now + longest * (0.5 + 0.5 * random),
            error: error
        )
        var actions = Actions()
        if self.failsOnFirstError || self.isHopeless(now: now) {
            while let request = self.popWaiter() { actions.append(.fail(request, error)) }
        }
        return actions + self.grow(now: now) + self.finishedIfEmpty()
    }

    /// A connection broke, whoever had it.
    mutating func lost(_ id: Int, now: Instant) -> Actions {
        guard self.remove(id) else { return Actions() }
        self.counters.connectionsLost += 1
        return self.grow(now: now) + self.finishedIfEmpty()
    }

    // MARK: Time

    /// When `tick` has something to do; nil for as long as nothing else happens.
    var nextDeadline: Instant? {
        var next = self.queue.first?.deadline
        func consider(_ instant: Instant) { next = next.map { min($0, instant) } ?? instant }
        if !self.idle.isEmpty {
            for connection in self.connections {
                if case .idle = connection.state { consider(connection.expiresAt) }
            }
            if self.connections.count > self.limits.minimum,
                case .idle(let since)? = self.connection(self.idle[0])?.state
            {
                consider(since + self.limits.maximumIdle)
            }
        }
        if let failure, self.lacksConnection, !self.isConnecting { consider(failure.nextAttempt) }
        return next
    }

    mutating func tick(now: Instant) -> Actions {
        var actions = Actions()
        while let head = self.queue.first, head.deadline <= now {
            let complaint = self.acquireTimeout(now: now)
            guard let request = self.popWaiter() else { break }
            self.counters.timedOut += 1
            actions.append(.fail(request, complaint))
        }
        for id in self.idle {
            guard let connection = self.connection(id), case .idle(let since) = connection.state else { continue }
            let isSurplus = self.connections.count > self.limits.minimum && since + self.limits.maximumIdle <= now
            guard isSurplus || connection.expiresAt <= now else { continue }
            self.remove(id)
            actions.append(.close(id))
        }
        return actions + self.grow(now: now) + self.finishedIfEmpty()
    }

    // MARK: Beginning and end

    /// From now on the minimum is kept.
    mutating func keep(now: Instant) -> Actions {
        self.isKept = true
        return self.grow(now: now)
    }

    /// Takes no more callers. Those who wait are served still; idle connections end.
    mutating func drain() -> Actions {
        guard !self.isDraining else { return Actions() }
        self.isDraining = true
        var actions = Actions()
        for id in self.idle {
            self.remove(id)
            actions.append(.close(id))
        }
        return actions + self.finishedIfEmpty()
    }

    /// Drops everything at once: those who wait fail, every connection is to be closed.
    mutating func abort() -> Actions {
        self.isDraining = true
        var actions = Actions()
        for connection in self.connections { actions.append(.close(connection.id)) }
        self.connections = []
        self.idle = []
        while let request = self.popWaiter() {
            actions.append(.fail(request, PGError(.poolClosed, message: "the pool is shut down")))
        }
        return actions + Actions(.finished)
    }

    // MARK: Inside

    private var isConnecting: Bool { self.connections.contains { $0.state == .connecting } }

    /// Whether one more connection would be of use.
    private var lacksConnection: Bool {
        guard self.connections.count < self.limits.maximum else { return false }
        let connecting = self.connections.count { $0.state == .connecting }
        return self.waiting > connecting
            || (self.isKept && !self.isDraining && self.connections.count < self.limits.minimum)
    }

    /// Starts as many attempts as there is need for; one, and only when it is time, while attempts fail.
    private mutating func grow(now: Instant) -> Actions {
        var actions = Actions()
        while self.lacksConnection {
            if let failure, failure.nextAttempt > now || self.isConnecting { break }
            self.lastID += 1
            self.connections.append(Connection(id: self.lastID, state: .connecting, expiresAt: now))
            actions.append(.connect(self.lastID))
        }
        return actions
    }

    private mutating func offer(_ id: Int, now: Instant) -> Action? {
        if let request = self.popWaiter() { return self.lease(id, to: request, now: now) }
        if let index = self.index(of: id) { self.connections[index].state = .idle(since: now) }
        self.idle.append(id)
        return nil
    }

    private mutating func lease(_ id: Int, to request: Request, now: Instant) -> Action {
        if let index = self.index(of: id) { self.connections[index].state = .leased(since: now) }
        self.counters.acquired += 1
        return .hand(id, to: request)
    }

    private mutating func popWaiter() -> Request? {
        while let waiter = self.queue.popFirst() {
            self.firstTicket += 1
            guard let request = waiter.request else { continue }
            self.waiting -= 1
            self.dropGaps()
            return request
        }
        return nil
    }

    /// The head of the queue is always somebody who waits, so that its deadline counts.
    private mutating func dropGaps() {
        while let head = self.queue.first, head.request == nil {
            self.queue.removeFirst()
            self.firstTicket += 1
        }
    }

    @discardableResult
    private mutating func remove(_ id: Int) -> Bool {
        guard let index = self.index(of: id) else { return false }
        self.connections.remove(at: index)
        self.idle.removeAll { $0 == id }
        return true
    }

    private func finishedIfEmpty() -> Actions {
        self.isDraining && self.connections.isEmpty && self.waiting == 0 ? Actions(.finished) : Actions()
    }

    private func index(of id: Int) -> Int? { self.connections.firstIndex { $0.id == id } }

    private func connection(_ id: Int) -> Connection? { self.index(of: id).map { self.connections[$0] } }
}
