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
}

/// A caller that wants a connection for a while.
final class LeaseRequest: @unchecked Sendable {
    // Written by its maker until it is posted, then by the loop's thread alone until the continuation is resumed.
    var continuation: UnsafeContinuation<Void, Never>?
    let handover = Handover()
    var ticket: Int?
    var isCancelled = false
    var outcome: Result<Lease, any Error>?
}

/// A connection in the hands of a caller.
struct Lease: Sendable {
    let channel: Channel
    /// Tells this lease from earlier and later ones of the same channel.
    let number: Int
    let session: Session
}
