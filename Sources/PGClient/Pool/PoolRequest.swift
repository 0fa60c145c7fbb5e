/// What waits for a connection: one statement that needs it for itself alone, or a caller that borrows it.
enum PoolRequest: Sendable {
    case job(Job)
    case lease(LeaseRequest)

    var ticket: Int? {
        get {
            switch self {
            case .job(let job): job.ticket
            case .lease(let lease): lease.ticket
            }
        }
        nonmutating set {
            switch self {
            case .job(let job): job.ticket = newValue
            case .lease(let lease): lease.ticket = newValue
            }
        }
    }

    /// Its task prefers a loop's thread.
    var cameFromLoop: Bool {
        switch self {
        case .job(let job): job.cameFromLoop
        case .lease(let lease): lease.cameFromLoop
        }
    }

    /// Whoever waits for it goes on.
    func resume() {
        switch self {
        case .job(let job): job.handover.resume(job.continuation)
        case .lease(let lease): lease.handover.resume(lease.continuation)
        }
    }
}

/// For errors that say who has the connections.
extension PoolRequest: CustomStringConvertible {
    var description: String {
        switch self {
        case .job(let job): SQLFingerprint.text(of: job.sql)
        case .lease(let lease): lease.description
        }
    }
}

/// Who borrows a connection.
enum Caller: Sendable {
    /// As `#fileID` and `#line` tell.
    case source(StaticString, UInt)
    case statement(String)
    case listener
}

/// A caller that wants a connection for a while.
final class LeaseRequest: @unchecked Sendable {
    // Written by its maker until it is posted, then by the loop's thread alone until the continuation is resumed.
    var continuation: UnsafeContinuation<Void, Never>?
    let handover = Handover()
    var cameFromLoop = false
    let caller: Caller
    var ticket: Int?
    /// The connection that it has.
    var channel: Channel?
    var isCancelled = false
    var outcome: Result<Lease, any Error>?

    init(_ caller: Caller) {
        self.caller = caller
    }

    /// Where it was borrowed and what it does now. Only on the loop's thread.
    var description: String {
        let place =
            switch self.caller {
            case .source(let file, let line): "\(file):\(line)"
            case .statement(let sql): SQLFingerprint.text(of: sql)
            case .listener: "a listener"
            }
        guard let channel else { return place }
        return channel.job.map { "\(place) running \(SQLFingerprint.text(of: $0.sql))" } ?? "\(place) running nothing"
    }
}

/// A connection in the hands of a caller.
final class Lease: Sendable {
    let channel: Channel
    /// Tells this lease from earlier and later ones of the same channel.
    let number: Int
    let session: Session

    init(channel: Channel, number: Int, session: Session) {
        self.channel = channel
        self.number = number
        self.session = session
    }
}
