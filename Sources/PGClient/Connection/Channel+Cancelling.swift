import CLibPQ

extension Channel {
    /// How long to wait, after a cancel request had no effect, before the next: one that overtakes its query is ignored.
    private static let retryInterval = Duration.milliseconds(50)

    /// The task that waits for the job was cancelled.
    func cancel(_ job: Job) {
        if self.isShared { return self.abandonShared(job) }
        guard self.job === job else {
            guard !job.isShielded, let index = self.pending.firstIndex(where: { $0 === job }) else { return }
            self.pending.remove(at: index)
            return self.driver.finish(job, CancellationError())
        }
        self.giveUp(after: self.driver.configuration.cancelBudget)
        self.stopCopy("the task was cancelled")
        self.goOn(job)
        if !job.isShielded { self.sendCancelRequest() }
    }

    func giveUp(after budget: Duration) {
        guard self.giveUpAt == nil else { return }
        self.giveUpAt = .now + budget
        self.deadline = self.giveUpAt
    }

    /// `PQcancel` blocks, so it runs on a thread of its own. It returns when the server has passed the signal on.
    func sendCancelRequest() {
        guard !self.isCancelRequestUnderWay, let loop = self.driver.loop, let handle = PQgetCancel(self.connection)
        else { return }
        let request = CancelRequest(handle)
        self.isCancelRequestUnderWay = DetachedThread.start {
            request.send()
            _ = loop.post(.cancelRequestEnded(self))
        }
        self.deadline = self.giveUpAt
    }

    func cancelRequestEnded() {
        self.isCancelRequestUnderWay = false
        guard self.isOpen, let job, let giveUpAt else { return }
        if case .awaitingCancelRequest = self.step { return self.complete(job) }
        self.deadline = min(giveUpAt, .now + Self.retryInterval)
    }

    func cancelDeadlinePassed() {
        guard let job, let giveUpAt else {
            self.deadline = nil
            self.stopCopy("the server reported an error")
            return self.beat()
        }
        guard giveUpAt > .now else {
            guard !job.isInternal else {
                return self.fail(PGError(.connection, message: "the server did not answer in time"))
            }
            return self.quarantine(
                PGError(.connection, message: "the server did not stop in time after the task was cancelled"))
        }
        if !job.isShielded && !job.isInternal { self.sendCancelRequest() }
    }
}

/// Owns one PGcancel: a copy of what it takes to cancel, usable beside the connection.
private final class CancelRequest: @unchecked Sendable {  // libpq: PQcancel may be called on any thread; only one does
    private let handle: OpaquePointer

    init(_ handle: OpaquePointer) {
        self.handle = handle
    }

    deinit {
        PQfreeCancel(self.handle)
    }

    /// Returns when the server has closed the connection that it came by, or with a failure, which changes nothing.
    func send() {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            _ = PQcancel(self.handle, buffer.baseAddress, 256)
        }
    }
}
