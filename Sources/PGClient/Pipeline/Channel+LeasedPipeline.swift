import CLibPQ

/// The pipeline of a caller that has leased the connection: `PGConnection.pipeline`.
extension Channel {
    /// Statements under way at most. The others are sent as answers come, so that neither side piles them up.
    private static let depth = 256

    func beginPipeline() {
        self.step = .pipelining(sent: 0)
        guard PQenterPipelineMode(self.connection) == 1 else { return self.failWithLibPQsWords() }
        self.feedPipeline()
    }

    private func feedPipeline() {
        guard let job, case .pipeline(let statements) = job.work, case .pipelining(var sent) = self.step else { return }
        while self.isOpen, sent < statements.count, self.pipeline.statements < Self.depth, !job.isCancelled {
            let statement = statements[sent]
            sent += 1
            self.sendPipelined(job, statement, mayDeallocate: self.isRepeatable)
            // Outside of a transaction each statement is a batch and a transaction of its own.
            if self.isRepeatable { self.endBatch() }
        }
        guard self.isOpen else { return }
        self.step = .pipelining(sent: sent)
        if sent == statements.count || job.isCancelled {
            self.endBatch()
        } else if self.pipeline.isSyncDue {
            // Without a sync the server keeps answers back until it is told not to.
            guard PQsendFlushRequest(self.connection) == 1 else { return self.failWithLibPQsWords() }
            self.flush()
        }
        if self.isOpen, self.pipeline.items.isEmpty { self.endPipeline(job) }
    }

    func leasedStatementEnded(_ job: Job, _ entry: StatementCache.Entry?, _ outcome: Pipeline.Outcome) {
        guard case .pipeline(let statements) = job.work else { return }
        let statement = statements[job.outcomes.count]
        switch outcome {
        case .rows(let result):
            self.noticeTag(result, sql: statement.query.sql)
            job.outcomes.append(.success(PGRows(result)))
        case .failed(let error):
            // Those behind it are under way, so it is too late to send it again; the next one finds a new plan.
            if error.isStalePlan, let entry { _ = self.statements.renew(statement, instead: entry) }
            job.outcomes.append(.failure(error.with(query: statement.query.sql)))
            // It was stopped, and the next one is running already.
            if job.isCancelled { self.sendCancelRequest() }
        case .skipped:
            job.outcomes.append(
                .failure(
                    PGError(
                        .skipped, message: "an earlier statement of the pipeline failed", query: statement.query.sql)))
        }
        if self.pipeline.statements <= Self.depth / 2 { self.feedPipeline() }
    }

    func leasedBatchEnded() {
        if self.pipeline.items.isEmpty { self.feedPipeline() }
    }

    private func endPipeline(_ job: Job) {
        guard PQexitPipelineMode(self.connection) == 1 else { return self.failWithLibPQsWords() }
        self.finish(job)
    }
}
