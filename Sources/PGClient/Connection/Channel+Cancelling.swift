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

    /// Sending it blocks, so it is done on a thread of its own, which ends when the server has passed the signal on.
    func sendCancelRequest() {
        guard !self.isCancelRequestUnderWay, let loop = self.driver.loop, let request = CancelRequest(to: self)
        else { return }
        self.isCancelRequestUnderWay = DetachedThread.start {
            request.send()
            loop.tell(.cancelRequestEnded(self))
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
            // Its query has ended, and what came of that is told; only the request is still under way.
            if case .awaitingCancelRequest = self.step { self.deliver(job) }
            return self.quarantine(
                PGError(.connection, message: "the server did not stop in time after the task was cancelled"))
        }
        if !job.isShielded && !job.isInternal { self.sendCancelRequest() }
    }
}
