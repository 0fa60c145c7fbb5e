import Testing

@testable import PGClient

/// The pool's rules under a clock that the tests move by hand.
@Suite struct PoolMachineTests {
    typealias Machine = PoolMachine<String>

    let start = MonotonicInstant.now

    static func limits(_ change: (inout PGPoolConfiguration) -> Void = { _ in }) -> PGPoolConfiguration {
        var limits = PGPoolConfiguration()
        limits.minimum = 0
        limits.maximum = 2
        limits.lifetimeJitter = 0
        change(&limits)
        return limits
    }

    static let refused = PGError(.connection, message: "connection refused")

    /// What the actions come down to, in words.
    func words(_ actions: some Sequence<Machine.Action>) -> [String] {
        actions.map { action in
            switch action {
            case .connect(let id): "connect \(id)"
            case .hand(let id, let request): "hand \(id) to \(request)"
            case .check(let id, let request): "check \(id) for \(request)"
            case .close(let id): "close \(id)"
            case .fail(let request, let error): "fail \(request): \(error.code)"
            case .finished: "finished"
            }
        }
    }

    /// A machine with `count` connections, all idle.
    func machine(_ limits: PGPoolConfiguration = limits(), idle count: Int) -> Machine {
        var machine = Machine(limits: limits)
        for index in 0..<count { _ = machine.request("setup \(index)", now: self.start) }
        for id in machine.connections.map(\.id) { _ = machine.connected(id, now: self.start, random: 0) }
        for id in machine.connections.map(\.id) { _ = machine.release(id, isUsable: true, now: self.start) }
        return machine
    }

    @Test func theFirstCallerMakesAConnectionAndGetsIt() {
        var machine = Machine(limits: Self.limits())
        #expect(self.words(machine.request("a", now: self.start).actions) == ["connect 1"])
        #expect(self.words(machine.connected(1, now: self.start, random: 0)) == ["hand 1 to a"])
        #expect(machine.statistics.leased == 1)
    }

    @Test func noMoreThanTheMaximumIsConnected() {
        var machine = Machine(limits: Self.limits())
        let actions = ["a", "b", "c"].flatMap { machine.request($0, now: self.start).actions }
        #expect(self.words(actions) == ["connect 1", "connect 2"])
    }

    @Test func callersAreServedInTheOrderOfTheirArrival() {
        var machine = self.machine(idle: 2)
        var order: [String] = []
        for name in ["a", "b", "c", "d", "e"] { order += self.words(machine.request(name, now: self.start).actions) }
        for id in [2, 1, 2] { order += self.words(machine.release(id, isUsable: true, now: self.start)) }
        #expect(order == ["hand 2 to a", "hand 1 to b", "hand 2 to c", "hand 1 to d", "hand 2 to e"])
    }

    @Test func aNewcomerDoesNotOvertakeThoseWhoWait() {
        var machine = self.machine(Self.limits { $0.maximum = 1 }, idle: 1)
        _ = machine.request("a", now: self.start)
        _ = machine.request("b", now: self.start)
        #expect(self.words(machine.release(1, isUsable: true, now: self.start)) == ["hand 1 to b"])
        #expect(machine.request("c", now: self.start).actions.isEmpty)
    }

    @Test func aCallerJoinsAConnectionInUseUnlessOthersWaitOrItIsTooOld() {
        var machine = self.machine(Self.limits { $0.maximum = 1 }, idle: 1)
        _ = machine.request("a", now: self.start)
        let acquired = machine.statistics.acquired
        let mayJoin = machine.join(1, now: self.start)
        let mayJoinTooLate = machine.join(1, now: self.start + .seconds(86_400))
        _ = machine.request("b", now: self.start)
        let mayOvertake = machine.join(1, now: self.start)
        #expect(mayJoin && !mayJoinTooLate && !mayOvertake)
        #expect(machine.statistics.acquired == acquired + 1)
    }

    @Test func aCancelledCallerIsPassedOver() throws {
        var machine = self.machine(Self.limits { $0.maximum = 1 }, idle: 1)
        _ = machine.request("a", now: self.start)
        let b = try #require(machine.request("b", now: self.start).ticket)
        let c = try #require(machine.request("c", now: self.start).ticket)
        _ = machine.request("d", now: self.start)
        #expect(machine.cancel(c) == "c")
        #expect(machine.cancel(b) == "b")
        #expect(machine.cancel(b) == nil)
        #expect(machine.waiting == 1)
        #expect(self.words(machine.release(1, isUsable: true, now: self.start)) == ["hand 1 to d"])
        #expect(machine.cancel(c) == nil)
        #expect(machine.statistics.cancelled == 2)
    }

    @Test func aCallerThatWaitsTooLongIsTold() throws {
        var machine = self.machine(Self.limits { $0.maximum = 1 }, idle: 1)
        _ = machine.request("holder", now: self.start)
        _ = machine.request("a", now: self.start + .seconds(1))
        _ = machine.request("b", now: self.start + .seconds(2))
        #expect(machine.nextDeadline == self.start + .seconds(6))
        #expect(machine.tick(now: self.start + .seconds(5)).isEmpty)
        let actions = machine.tick(now: self.start + .seconds(6))
        #expect(self.words(actions) == ["fail a: acquireTimeout"])
        guard case .fail(_, let error) = try #require(actions.first) else { return }
        #expect(
            error.message
                == "no connection within 5.0 s; 1 of 1 connections in use (holder for 6.0 s); 0 being made, 2 callers waiting"
        )
        #expect(machine.nextDeadline == self.start + .seconds(7))
    }

    @Test func theTimeoutNamesTheLastConnectError() {
        var machine = Machine(limits: Self.limits())
        _ = machine.request("a", now: self.start)
        _ = machine.connectFailed(1, Self.refused, now: self.start, random: 0)
        let error = machine.acquireTimeout(now: self.start + .seconds(5))
        #expect(error.message.hasSuffix("connecting has failed for 5.0 s: connection refused"))
        #expect((error.underlying as? PGError)?.message == "connection refused")
    }

    @Test func aFullQueueRefuses() {
        var machine = self.machine(Self.limits { ($0.maximum, $0.queueLimit) = (1, 1) }, idle: 1)
        _ = machine.request("a", now: self.start)
        _ = machine.request("b", now: self.start)
        #expect(self.words(machine.request("c", now: self.start).actions) == ["fail c: poolSaturated"])
        #expect(machine.statistics.refused == 1)
    }

    @Test func aBrokenConnectionIsReplacedForThoseWhoWait() {
        var machine = self.machine(Self.limits { $0.maximum = 1 }, idle: 1)
        _ = machine.request("a", now: self.start)
        _ = machine.request("b", now: self.start)
        #expect(self.words(machine.release(1, isUsable: false, now: self.start)) == ["connect 2"])
        #expect(self.words(machine.connected(2, now: self.start, random: 0)) == ["hand 2 to b"])
    }

    @Test func anIdleConnectionThatBreaksIsNotHandedOut() {
        var machine = self.machine(idle: 2)
        #expect(machine.release(2, isUsable: false, now: self.start).isEmpty)
        #expect(self.words(machine.request("a", now: self.start).actions) == ["hand 1 to a"])
    }

    @Test func anOldConnectionEndsWhenItIsGivenBackAndIsReplacedWhenNeeded() {
        var machine = self.machine(Self.limits { ($0.maximum, $0.maximumLifetime) = (1, .seconds(60)) }, idle: 1)
        _ = machine.request("a", now: self.start)
        _ = machine.request("b", now: self.start + .seconds(60))
        #expect(
            self.words(machine.release(1, isUsable: true, now: self.start + .seconds(61))) == ["close 1", "connect 2"])
    }

    @Test func lifetimesAreSpreadByTheJitter() {
        var machine = Machine(limits: Self.limits { ($0.maximumLifetime, $0.lifetimeJitter) = (.seconds(100), 0.2) })
        for name in ["a", "b"] { _ = machine.request(name, now: self.start) }
        _ = machine.connected(1, now: self.start, random: 0)
        _ = machine.connected(2, now: self.start, random: 1)
        #expect(machine.connections.map(\.expiresAt) == [self.start + .seconds(100), self.start + .seconds(80)])
    }

    @Test func idleConnectionsAboveTheMinimumEnd() {
        var machine = self.machine(Self.limits { $0.minimum = 1 }, idle: 2)
        #expect(machine.nextDeadline == self.start + .seconds(300))
        #expect(self.words(machine.tick(now: self.start + .seconds(300))) == ["close 1"])
        #expect(machine.nextDeadline == self.start + .seconds(1800))
    }

    @Test func nothingIsDueWhileNothingIsHeld() {
        #expect(Machine(limits: Self.limits()).nextDeadline == nil)
    }

    @Test func theMinimumIsKeptFromTheStart() {
        var machine = Machine(limits: Self.limits { $0.minimum = 2 })
        #expect(self.words(machine.keep(now: self.start)) == ["connect 1", "connect 2"])
        _ = machine.connected(1, now: self.start, random: 0)
        _ = machine.connected(2, now: self.start, random: 0)
        #expect(self.words(machine.release(1, isUsable: false, now: self.start)) == ["connect 3"])
    }

    @Test func aServerThatIsDownIsAskedByOneConnectionAtATimeAndEverMoreSeldom() {
        var machine = Machine(limits: Self.limits { $0.maximum = 4 })
        for name in ["a", "b"] { _ = machine.request(name, now: self.start) }
        #expect(machine.connectFailed(1, Self.refused, now: self.start, random: 1).isEmpty)
        #expect(machine.connectFailed(2, Self.refused, now: self.start, random: 1).isEmpty)
        #expect(machine.request("c", now: self.start).actions.isEmpty)
        #expect(machine.nextDeadline == self.start + .milliseconds(100))
        #expect(self.words(machine.tick(now: self.start + .milliseconds(100))) == ["connect 3"])
        #expect(machine.tick(now: self.start + .milliseconds(200)).isEmpty)
        _ = machine.connectFailed(3, Self.refused, now: self.start + .milliseconds(200), random: 1)
        #expect(machine.nextDeadline == self.start + .milliseconds(400))
        // Once it answers, the others are made at once.
        _ = machine.tick(now: self.start + .milliseconds(400))
        #expect(
            self.words(machine.connected(4, now: self.start + .milliseconds(400), random: 0))
                == ["hand 4 to a", "connect 5", "connect 6"]
        )
    }

    @Test func afterALongOutageCallersFailAtOnceButOneFindsOut() {
        var machine = Machine(limits: Self.limits { $0.acquireTimeout = .seconds(60) })
        _ = machine.request("a", now: self.start)
        _ = machine.connectFailed(1, Self.refused, now: self.start, random: 0)
        _ = machine.tick(now: self.start + .seconds(10))
        #expect(
            self.words(machine.connectFailed(2, Self.refused, now: self.start + .seconds(10), random: 1))
                == ["fail a: connection"]
        )
        #expect(self.words(machine.request("b", now: self.start + .seconds(10)).actions) == ["fail b: connection"])
        #expect(self.words(machine.request("c", now: self.start + .seconds(12)).actions) == ["connect 3"])
        #expect(self.words(machine.request("d", now: self.start + .seconds(12)).actions) == ["fail d: connection"])
        #expect(self.words(machine.connected(3, now: self.start + .seconds(13), random: 0)) == ["hand 3 to c"])
    }

    @Test func aRefusalThatNoRetryCanHealFailsThoseWhoWaitAtOnce() {
        var machine = Machine(limits: Self.limits())
        var fields = PGError.Fields()
        fields.sqlState = "28P01"
        _ = machine.request("a", now: self.start)
        let refusal = PGError(.connection, message: "password authentication failed", fields: fields)
        #expect(self.words(machine.connectFailed(1, refusal, now: self.start, random: 0)) == ["fail a: connection"])
    }

    @Test func aFailedAttemptDoesNotFailThoseWhoCanHaveAnotherConnection() {
        var machine = Machine(limits: Self.limits { $0.failFastAfter = .zero })
        _ = machine.request("a", now: self.start)
        _ = machine.connected(1, now: self.start, random: 0)
        _ = machine.request("b", now: self.start)
        #expect(machine.connectFailed(2, Self.refused, now: self.start, random: 0).isEmpty)
        #expect(self.words(machine.release(1, isUsable: true, now: self.start)) == ["hand 1 to b"])
    }

    /// An attempt that failed while others had connections says nothing about an outage that begins later.
    @Test(arguments: ["connection refused", "password authentication failed"])
    func anOldFailureDoesNotShortenThePatienceInALaterOutage(words: String) {
        var machine = self.machine(Self.limits { $0.acquireTimeout = .seconds(60) }, idle: 1)
        _ = machine.request("a", now: self.start)
        _ = machine.request("b", now: self.start)
        var fields = PGError.Fields()
        if words.hasPrefix("password") { fields.sqlState = "28P01" }
        let failure = PGError(.connection, message: words, fields: fields)
        _ = machine.connectFailed(2, failure, now: self.start, random: 1)
        #expect(self.words(machine.release(1, isUsable: true, now: self.start)) == ["hand 1 to b"])
        let outage = self.start + .seconds(60)
        #expect(machine.release(1, isUsable: false, now: outage).isEmpty)
        #expect(self.words(machine.request("c", now: outage).actions) == ["connect 3"])
        #expect(self.words(machine.request("d", now: outage).actions) == ["connect 4"])
        #expect(machine.connectFailed(3, Self.refused, now: outage, random: 1).isEmpty)
        #expect(machine.connectFailed(4, Self.refused, now: outage, random: 1).isEmpty)
        // From here on it is as long as ever.
        _ = machine.tick(now: outage + .seconds(10))
        let actions = machine.connectFailed(5, Self.refused, now: outage + .seconds(10), random: 1)
        #expect(self.words(actions) == ["fail c: connection", "fail d: connection"])
    }

    @Test func drainingServesThoseWhoWaitAndEndsWithTheLastConnection() {
        var machine = self.machine(Self.limits { $0.maximum = 1 }, idle: 1)
        _ = machine.request("a", now: self.start)
        _ = machine.request("b", now: self.start)
        #expect(machine.drain().isEmpty)
        #expect(self.words(machine.request("late", now: self.start).actions) == ["fail late: poolClosed"])
        #expect(self.words(machine.release(1, isUsable: true, now: self.start)) == ["hand 1 to b"])
        #expect(self.words(machine.release(1, isUsable: true, now: self.start)) == ["close 1", "finished"])
    }

    @Test func drainingAnIdlePoolEndsAtOnce() {
        var machine = self.machine(idle: 2)
        #expect(self.words(machine.drain()) == ["close 1", "close 2", "finished"])
    }

    @Test func drainingEndsWhenTheLastCallerGivesUp() throws {
        var machine = Machine(limits: Self.limits())
        let ticket = try #require(machine.request("a", now: self.start).ticket)
        _ = machine.connectFailed(1, Self.refused, now: self.start, random: 1)
        #expect(machine.drain().isEmpty)
        #expect(machine.cancel(ticket) == "a")
        #expect(self.words(machine.tick(now: self.start)) == ["finished"])
    }

    @Test(arguments: [false, true])
    func drainingWaitsForNoConnectionThatNobodyWaitsFor(whenCancelledBefore isCancelledBefore: Bool) throws {
        var machine = Machine(limits: Self.limits())
        let ticket = try #require(machine.request("a", now: self.start).ticket)
        if isCancelledBefore {
            #expect(machine.cancel(ticket) == "a")
            #expect(self.words(machine.drain()) == ["close 1", "finished"])
        } else {
            #expect(machine.drain().isEmpty)
            #expect(machine.cancel(ticket) == "a")
            #expect(self.words(machine.tick(now: self.start)) == ["close 1", "finished"])
        }
    }

    @Test func abortingDropsEverything() {
        var machine = self.machine(Self.limits { $0.maximum = 1 }, idle: 1)
        _ = machine.request("a", now: self.start)
        _ = machine.request("b", now: self.start)
        #expect(self.words(machine.abort()) == ["close 1", "fail b: poolClosed", "finished"])
    }

    @Test func aConnectionThatSucceedsAfterAllWasDroppedIsClosed() {
        var machine = Machine(limits: Self.limits())
        _ = machine.request("a", now: self.start)
        _ = machine.abort()
        #expect(self.words(machine.connected(1, now: self.start, random: 0)) == ["close 1"])
    }

    @Test func aConnectionThatWasIdleForLongIsAskedBeforeItIsHandedOver() {
        var machine = self.machine(idle: 1)
        #expect(self.words(machine.request("a", now: self.start + .seconds(5)).actions) == ["check 1 for a"])
        machine.handed()
        #expect(machine.statistics.leased == 1)
        // Given back and taken at once it needs no question.
        _ = machine.release(1, isUsable: true, now: self.start + .seconds(6))
        #expect(self.words(machine.request("b", now: self.start + .seconds(10)).actions) == ["hand 1 to b"])
    }

    @Test(arguments: [false, true])
    func whoseConnectionDoesNotAnswerIsTheNextToBeServed(unlessCancelled isCancelled: Bool) throws {
        var machine = self.machine(Self.limits { $0.maximum = 1 }, idle: 1)
        _ = machine.request("a", now: self.start + .seconds(5))
        _ = machine.request("b", now: self.start + .seconds(5))
        let (ticket, actions) = machine.refused(1, now: self.start + .seconds(6))
        #expect(self.words(actions) == ["connect 2"])
        // Its time began when it came.
        #expect(machine.nextDeadline == self.start + .seconds(10))
        if isCancelled { #expect(machine.cancel(try #require(ticket)) == "a") }
        let next = isCancelled ? "b" : "a"
        #expect(self.words(machine.connected(2, now: self.start + .seconds(6), random: 0)) == ["hand 2 to \(next)"])
    }

    @Test func whoseConnectionDoesNotAnswerGetsAnotherIdleOne() {
        var machine = self.machine(idle: 2)
        _ = machine.request("a", now: self.start + .seconds(5))
        #expect(self.words(machine.refused(2, now: self.start + .seconds(6)).actions) == ["hand 1 to a"])
    }

    @Test func aConnectionInQuarantineMakesRoomForAnother() {
        var machine = self.machine(Self.limits { ($0.maximum, $0.maximumQuarantined) = (1, 1) }, idle: 1)
        _ = machine.request("a", now: self.start)
        _ = machine.request("b", now: self.start)
        #expect(self.words(machine.quarantine(1, now: self.start)) == ["connect 2"])
        #expect(machine.statistics.quarantined == 1)
        #expect(self.words(machine.connected(2, now: self.start, random: 0)) == ["hand 2 to b"])
        // Beyond the bound it takes a place, until one of them has ended.
        _ = machine.request("c", now: self.start)
        #expect(machine.quarantine(2, now: self.start).isEmpty)
        #expect(self.words(machine.lost(1, now: self.start)) == ["connect 3"])
        // The same one again is not one more.
        _ = machine.connected(3, now: self.start, random: 0)
        #expect(machine.quarantine(2, now: self.start).isEmpty)
        _ = machine.request("d", now: self.start)
        #expect(machine.statistics.connecting == 0)
        #expect(self.words(machine.lost(2, now: self.start)).isEmpty)
        #expect(self.words(machine.quarantine(3, now: self.start)) == ["connect 4"])
    }

    @Test func connectionsInQuarantineEndWithThePool() {
        var machine = self.machine(Self.limits { $0.maximum = 2 }, idle: 2)
        _ = machine.request("a", now: self.start)
        _ = machine.request("b", now: self.start)
        _ = machine.quarantine(1, now: self.start)
        #expect(self.words(machine.drain()) == ["close 1"])
        #expect(self.words(machine.quarantine(2, now: self.start)) == ["close 2", "finished"])
    }

    @Test func theErrorNamesThoseWhoHaveHadTheirConnectionsForLongest() {
        var machine = self.machine(Self.limits { $0.maximum = 7 }, idle: 7)
        for index in 0..<7 { _ = machine.request("caller \(index)", now: self.start + .seconds(Double(index) / 10)) }
        #expect(
            machine.load(now: self.start + .seconds(2)).hasPrefix(
                "7 of 7 connections in use (caller 0 for 2.0 s, caller 1 for 1.9 s, caller 2 for 1.8 s, caller 3 for 1.7 s, "
                    + "caller 4 for 1.6 s, 2 more); 0 being made"))
    }

    /// All that were made together would otherwise end together, and leave the pool below its minimum.
    @Test func theMinimumDoesNotExpireAllAtOnceAndIsMadeUpForAtOnce() {
        var machine = Machine(limits: Self.limits { ($0.minimum, $0.maximum, $0.lifetimeJitter) = (2, 2, 0.1) })
        _ = machine.keep(now: self.start)
        _ = machine.connected(1, now: self.start, random: 0)
        _ = machine.connected(2, now: self.start, random: 1)
        let first = self.start + .seconds(1620)
        #expect(machine.nextDeadline == first)
        #expect(self.words(machine.tick(now: first)) == ["close 2", "connect 3"])
        #expect(machine.statistics.idle == 1)
    }
}
