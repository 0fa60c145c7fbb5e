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

    private var jobs: [Job] = []
    private var leases: [LeaseRequest] = []
    private(set) var dueTime: Instant?

    mutating func append(_ job: Job) { self.jobs.append(job) }

    mutating func append(_ lease: LeaseRequest) { self.leases.append(lease) }

    /// Resumes them, or leaves them for a later time, which `dueTime` tells, when `areServersBusy`: they have their next work already,
    /// without these tasks.
    mutating func resume(now: Instant, areServersBusy: Bool) {
        guard !self.jobs.isEmpty || !self.leases.isEmpty else { return }
        // A lease that is not taken up is a connection without work.
        if areServersBusy && self.leases.isEmpty && self.jobs.count < Self.sufficient {
            let due = self.dueTime ?? now + Self.patience
            self.dueTime = due
            guard due <= now else { return }
        }
        self.dueTime = nil
        for job in self.jobs {
            job.handover.resume(job.continuation)
        }
        self.jobs.removeAll(keepingCapacity: true)
        for lease in self.leases {
            lease.handover.resume(lease.continuation)
        }
        self.leases.removeAll(keepingCapacity: true)
    }
}
