import DequeModule

/// The rules of the pool and nothing else: no clock, no input or output, no lock.
///
/// Each function is told what happened and when, and returns what is to be done about it. Connections are known by numbers
/// that are never used twice; `Request` is whatever waits for one, and says for error messages who that is. There is one of each, so that
/// asking it something never copies it.
struct PoolMachine<Request: CustomStringConvertible>: ~Copyable {
    typealias Instant = MonotonicInstant

    enum Action {
        case connect(Int)
        case hand(Int, to: Request)
        /// The connection was idle for long: to be handed over when its server answers. `handed` or `refused` is the outcome.
        case check(Int, for: Request)
        case close(Int)
        case fail(Request, PGError)
        /// The last connection of a pool that is being shut down is gone.
        case finished
    }

    struct Connection {
        enum State {
            case connecting
            case idle(since: Instant)
            case leased(since: Instant, by: Request)
            /// Its caller has gone while a query still ran.
            case quarantined
        }

        let id: Int
        var state: State
        var expiresAt: Instant

        var isConnecting: Bool {
            if case .connecting = self.state { true } else { false }
        }

        var isQuarantined: Bool {
            if case .quarantined = self.state { true } else { false }
        }

        /// Somebody has it or can have it.
        var isUsable: Bool { !self.isConnecting && !self.isQuarantined }
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
    /// Attempts to connect that failed since one succeeded, or since the last usable connection went: patience with an outage begins then.
    var failure: Failure?
    var counters = PGPoolStatistics()
    /// Whether the minimum is kept.
    var isKept = false
    var isDraining = false

    /// First come, first served. A cancelled waiter leaves a gap, so that the place of a ticket stays known.
    private var queue: Deque<Waiter> = []
    private var firstTicket = 0
    private(set) var waiting = 0
    /// How many of `connections` are in quarantine: counted, since each request asks.
    private var quarantined = 0
    private var lastID = 0

    init(limits: PGPoolConfiguration, failsOnFirstError: Bool = false) {
        self.limits = limits
        self.failsOnFirstError = failsOnFirstError
    }

    // MARK: What callers do

    /// A caller wants a connection. The ticket is nil when it does not have to wait.
    mutating func request(_ request: Request, now: Instant) -> (ticket: Int?, actions: Actions) {
        guard !self.isDraining else {
            return (nil, Actions(.fail(request, .poolClosed)))
        }
        if self.waiting == 0, let id = self.idle.popLast() {
            guard case .idle(let since)? = self.connection(id)?.state, now - since >= self.limits.pingAfterIdle else {
                return (nil, Actions(self.lease(id, to: request, now: now)))
            }
            if let index = self.index(of: id) { self.connections[index].state = .leased(since: now, by: request) }
            return (nil, Actions(.check(id, for: request)))
        }
        if let error = self.hopeless(now: now) {
            return (nil, Actions(.fail(request, error)))
        }
        let hasRoom = self.occupied < self.limits.maximum
        guard hasRoom && self.failure == nil || self.waiting < self.limits.queueLimit else {
            self.counters.refused += 1
            let message = "\(self.waiting) callers wait already; \(self.load(now: now))"
            return (nil, Actions(.fail(request, PGError(.poolSaturated, message: message))))
        }
        let ticket = self.firstTicket + self.queue.count
        self.queue.append(Waiter(request: request, deadline: now + self.limits.acquireTimeout))
        self.waiting += 1
        return (ticket, hasRoom ? self.grow(now: now) : Actions())
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
            self.remove(at: index)
            return Actions(.close(id)) + self.grow(now: now) + self.windUp()
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

    /// A caller that came right now uses a connection that is in use, beside others. False when it may not, or others wait.
    mutating func join(_ id: Int, now: Instant) -> Bool {
        guard self.waiting == 0, let index = self.index(of: id), self.connections[index].expiresAt > now else {
            return false
        }
        self.counters.acquired += 1
        return true
    }

    /// The server of a connection that was idle for long has answered, and the caller has it.
    mutating func handed() {
        self.counters.acquired += 1
    }

    /// The server of a connection that was idle for long did not answer. Its caller is the next to be served, by the ticket that is returned.
    mutating func refused(_ id: Int, now: Instant) -> (ticket: Int?, actions: Actions) {
        guard let index = self.index(of: id), case .leased(let since, let request) = self.connections[index].state
        else {
            return (nil, Actions())
        }
        self.remove(at: index)
        self.counters.connectionsLost += 1
        self.firstTicket -= 1
        self.queue.prepend(Waiter(request: request, deadline: since + self.limits.acquireTimeout))
        self.waiting += 1
        guard let idle = self.idle.popLast(), let next = self.popWaiter() else {
            return (self.firstTicket, self.grow(now: now))
        }
        return (nil, Actions(self.lease(idle, to: next, now: now)))
    }

    /// The caller of a connection has gone while its query goes on. Up to a number of such connections make room for others at once.
    mutating func quarantine(_ id: Int, now: Instant) -> Actions {
        guard let index = self.index(of: id), !self.connections[index].isQuarantined else { return Actions() }
        guard !self.isDraining else {
            self.remove(at: index)
            return Actions(.close(id)) + self.windUp()
        }
        self.connections[index].state = .quarantined
        self.quarantined += 1
        self.forgetFailureIfNoneIsUsable()
        return self.grow(now: now)
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
            self.remove(at: index)
            return Actions(.close(id)) + self.windUp()
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
        return actions + self.grow(now: now) + self.windUp()
    }

    /// A connection broke, whoever had it.
    mutating func lost(_ id: Int, now: Instant) -> Actions {
        guard self.remove(id) else { return Actions() }
        self.counters.connectionsLost += 1
        return self.grow(now: now) + self.windUp()
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
            if self.occupied > self.limits.minimum,
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
            let isSurplus = self.occupied > self.limits.minimum && since + self.limits.maximumIdle <= now
            guard isSurplus || connection.expiresAt <= now else { continue }
            self.remove(id)
            actions.append(.close(id))
        }
        return actions + self.grow(now: now) + self.windUp()
    }

    // MARK: Beginning and end

    /// From now on the minimum is kept.
    mutating func keep(now: Instant) -> Actions {
        self.isKept = true
        return self.grow(now: now)
    }

    /// Takes no more callers. Those who wait are served still; connections that nobody uses or waits for end.
    mutating func drain() -> Actions {
        guard !self.isDraining else { return Actions() }
        self.isDraining = true
        var actions = Actions()
        for id in self.idle + self.connections.filter(\.isQuarantined).map(\.id) {
            self.remove(id)
            actions.append(.close(id))
        }
        return actions + self.windUp()
    }

    /// Drops everything at once: those who wait fail, every connection is to be closed.
    mutating func abort() -> Actions {
        self.isDraining = true
        var actions = Actions()
        for connection in self.connections { actions.append(.close(connection.id)) }
        self.connections = []
        self.quarantined = 0
        self.idle = []
        while let request = self.popWaiter() {
            actions.append(.fail(request, .poolClosed))
        }
        return actions + Actions(.finished)
    }

    // MARK: Inside

    private var isConnecting: Bool { self.connections.contains(where: \.isConnecting) }

    /// How many places are taken. A few connections in quarantine take none; beyond that they do, since behind each the server may still be
    /// at work.
    private var occupied: Int {
        self.connections.count - min(self.quarantined, self.limits.maximumQuarantined)
    }

    /// Whether one more connection would be of use.
    private var lacksConnection: Bool {
        guard self.occupied < self.limits.maximum else { return false }
        let connecting = self.connections.count(where: \.isConnecting)
        return self.waiting > connecting
            || (self.isKept && !self.isDraining && self.occupied < self.limits.minimum)
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
        if let index = self.index(of: id) { self.connections[index].state = .leased(since: now, by: request) }
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
        self.remove(at: index)
        self.idle.removeAll { $0 == id }
        return true
    }

    private mutating func remove(at index: Int) {
        let connection = self.connections.remove(at: index)
        if connection.isQuarantined { self.quarantined -= 1 }
        if connection.isUsable { self.forgetFailureIfNoneIsUsable() }
    }

    private mutating func forgetFailureIfNoneIsUsable() {
        if !self.connections.contains(where: \.isUsable) { self.failure = nil }
    }

    /// Of a pool that is being shut down and serves nobody any more: gives up the attempts to connect, and says when all is over.
    private mutating func windUp() -> Actions {
        guard self.isDraining, self.waiting == 0 else { return Actions() }
        var actions = Actions()
        for connection in self.connections where connection.isConnecting { actions.append(.close(connection.id)) }
        self.connections.removeAll(where: \.isConnecting)
        if self.connections.isEmpty { actions.append(.finished) }
        return actions
    }

    private func index(of id: Int) -> Int? { self.connections.firstIndex { $0.id == id } }

    private func connection(_ id: Int) -> Connection? { self.index(of: id).map { self.connections[$0] } }
}
