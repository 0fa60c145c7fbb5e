/// The tasks whose work is done and that are to be resumed.
///
/// Waking a thread costs about as much as a query. While the servers have work enough, none of them waits for the tasks here, so
/// these may wait for each other and be resumed several at a time: they have waited for much longer than that.
struct FinishedWork {
    typealias Instant = MonotonicInstant

    /// How many are enough to be resumed.
    static let sufficient = 32
    /// How long the first waits for others; `poll` makes a millisecond of it when none come at all.
    private static let patience = Duration.microseconds(500)

    private let resumer: Resumer?
    private var requests: [PoolRequest] = []
    private var hasLeases = false
    private(set) var dueTime: Instant?

    init(resumer: Resumer?) {
        self.resumer = resumer
    }

    mutating func append(_ request: PoolRequest) {
        self.requests.append(request)
        if case .lease = request { self.hasLeases = true }
    }

    /// Resumes them, or leaves them for a later time, which `dueTime` tells, when `areServersBusy`: they have their next work already,
    /// without these tasks.
    mutating func resume(now: Instant, areServersBusy: Bool) {
        guard !self.requests.isEmpty else { return }
        // A lease that is not taken up is a connection without work.
        if areServersBusy && !self.hasLeases && self.requests.count < Self.sufficient {
            let due = self.dueTime ?? now + Self.patience
            self.dueTime = due
            guard due <= now else { return }
        }
        self.dueTime = nil
        self.hasLeases = false
        if let resumer {
            // A loop's thread takes its tasks one after another in any case.
            resumer.resume(self.requests.filter { !$0.cameFromLoop })
            for request in self.requests where request.cameFromLoop { request.resume() }
        } else {
            for request in self.requests { request.resume() }
        }
        self.requests.removeAll(keepingCapacity: true)
    }

    /// From now on nobody is resumed but by the loop.
    func stop() { self.resumer?.stop() }
}
