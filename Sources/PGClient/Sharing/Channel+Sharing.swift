import CLibPQ

/// A connection that reads for many tasks at a time.
///
/// Only statements that read come here. A statement that waits for a lock of a transaction would hold up those behind it,
/// the statement that this transaction waits for perhaps among them: a deadlock that the server cannot see.
extension Channel {
    var isShared: Bool { self.driver.sharing != nil }

    /// Whether one more query may be queued.
    var hasRoom: Bool {
        guard let sharing = self.driver.sharing, self.isIntroduced, !self.isRetiring else {
            return false
        }
        return self.pipeline.abandoned == 0 && self.pipeline.statements < sharing.depth
    }

    func beginSharing() {
        guard PQenterPipelineMode(self.connection) == 1 else { return self.failWithLibPQsWords() }
        self.sendProbe()
        self.endBatch()
    }

    /// Queues the job's statement; it is sent at the end of the loop's turn, together with others.
    func share(_ job: Job) {
        guard case .statement(let statement) = job.work else { return }
        job.channel = self
        job.wasSent = true
        self.sendPipelined(job, statement, mayDeallocate: true)
        if self.deadline == nil { self.restartDeadline() }
    }

    /// The task is gone. The server cannot be told to leave one query out; the others behind it wait no longer than need be.
    func abandonShared(_ job: Job) {
        self.pipeline.abandoned += 1
        self.driver.finish(job, CancellationError())
    }

    func sharedStatementEnded(_ job: Job, _ entry: StatementCache.Entry?, _ outcome: Pipeline.Outcome) {
        self.restartDeadline()
        guard !job.isFinished else {
            self.pipeline.abandoned -= 1
            return
        }
        switch outcome {
        case .rows(let result):
            job.add(result)
            self.driver.finish(job, nil)
        case .failed(let error):
            guard case .statement(let statement) = job.work, error.isStalePlan, let entry, !job.hasNewPlan else {
                return self.driver.finish(job, error.with(query: job.sql))
            }
            job.hasNewPlan = true
            _ = self.statements.renew(statement, instead: entry)
            self.sendPipelined(job, statement, mayDeallocate: true)
        case .skipped:
            self.share(job)
        }
    }

    func sharedBatchEnded() {
        guard !self.isIntroduced else {
            if self.pipeline.items.isEmpty { self.driver.giveBack(self) }
            return
        }
        guard let probe, probe.backendPID == self.session?.backendPID, probe.isReadOnly else {
            return self.fail(
                PGError(
                    .notShareable,
                    message: "a pooler stands before the server, or it does not confine itself to reading"))
        }
        self.introduce()
    }

    /// A server that says nothing for longer than any statement may take is dead.
    private func restartDeadline() {
        self.deadline = self.pipeline.statements == 0 ? nil : self.driver.now + self.driver.longestSilence
    }
}
