import CLibPQ

/// Statements that are sent without waiting for the answers of those before (libpq manual, "Pipeline Mode").
///
/// A connection that is shared stays in this mode; one that is leased enters it for one job.
extension Channel {
    /// Puts a statement behind those that are under way. It is on its way after `endBatch` or `flush`.
    func sendPipelined(_ job: Job, _ statement: Statement, mayDeallocate: Bool) {
        var entry: StatementCache.Entry?
        switch self.statements.plan(statement) {
        case .sendUnprepared, .askServer:
            break
        case .execute(let prepared):
            entry = prepared
        case .prepare(let new):
            if mayDeallocate {
                for name in self.statements.takeAbandoned() {
                    let sql = "DEALLOCATE " + name
                    self.enqueue(.deallocate, PQsendQueryParams(self.connection, sql, 0, nil, nil, nil, nil, 0))
                }
            }
            let sql = statement.query.sql
            self.enqueue(
                .prepare(new), PQsendPrepare(self.connection, new.name, sql, Int32(new.types.count), new.types))
            new.dirt = SessionDirt(sql: sql)
            // Those behind may count on it: if it fails, they are skipped.
            self.statements.markPrepared(new)
            entry = new
        }
        // Preparing it may have failed with the connection.
        guard self.isOpen else { return self.driver.finish(job, self.failure?.with(query: job.sql)) }
        self.enqueue(.statement(job, entry), self.send(statement.query, entry))
    }

    /// Asks who the server behind the connection is.
    func sendProbe() {
        self.enqueue(.probe, PQsendQueryParams(self.connection, Probe.sql, 0, nil, nil, nil, nil, 0))
    }

    private func enqueue(_ item: Pipeline.Item, _ status: Int32) {
        guard self.isOpen else { return }
        // Also of a statement that libpq does not take somebody waits for the outcome.
        self.pipeline.append(item)
        if status != 1 { self.failWithLibPQsWords() }
    }

    /// Lets the server answer everything, and start anew after an error.
    func endBatch() {
        guard self.pipeline.isSyncDue, self.isOpen else { return }
        guard PQpipelineSync(self.connection) == 1 else { return self.failWithLibPQsWords() }
        self.pipeline.appendSync(now: self.driver.now)
        self.flush()
    }

    /// Takes the answers that are complete.
    func collectPipelined() {
        // Each answer but that to a sync ends with a nil; several in a row would be an answer too few.
        var separators = 0
        while self.isOpen, !self.pipeline.items.isEmpty, PQisBusy(self.connection) == 0 {
            if let result = PQgetResult(self.connection) {
                separators = 0
                self.takePipelined(result)
            } else {
                separators += 1
                guard separators < 3 else {
                    return self.fail(PGError(.connection, message: "the server's answers do not match the statements"))
                }
            }
        }
    }

    private func takePipelined(_ result: OpaquePointer) {
        let outcome: Pipeline.Outcome
        switch PQresultStatus(result) {
        case PGRES_PIPELINE_SYNC:
            PQclear(result)
            guard case .sync(let batch) = self.pipeline.removeFirst() else {
                return self.fail(PGError(.connection, message: "the server's answers do not match the statements"))
            }
            return self.batchEnded(batch)
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            outcome = .rows(PGResult(result))
        case PGRES_PIPELINE_ABORTED:
            PQclear(result)
            outcome = .skipped
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            PQclear(result)
            return self.fail(PGError(.unsupported, message: "COPY is not possible in a pipeline"))
        default:
            let error = PGError(result: result, query: nil)
            PQclear(result)
            guard !error.endsSession, error.sqlState != nil, PQstatus(self.connection) != CONNECTION_BAD else {
                return self.fail(error)
            }
            outcome = .failed(error)
        }
        self.itemEnded(outcome)
    }

    private func itemEnded(_ outcome: Pipeline.Outcome) {
        switch self.pipeline.removeFirst() {
        case .probe:
            self.probed(outcome)
        case .prepare(let entry):
            if case .rows = outcome { return }
            self.statements.markUnprepared(entry)
            if case .failed(let error) = outcome { self.pipeline.preparingError = error }
        case .statement(let job, let entry):
            var outcome = outcome
            if case .skipped = outcome, let error = self.pipeline.preparingError { outcome = .failed(error) }
            self.pipeline.preparingError = nil
            self.statementEnded(job, entry, outcome)
        case .deallocate, .sync, nil:
            break
        }
    }

    private func statementEnded(_ job: Job, _ entry: StatementCache.Entry?, _ outcome: Pipeline.Outcome) {
        if self.isShared {
            self.sharedStatementEnded(job, entry, outcome)
        } else {
            self.leasedStatementEnded(job, entry, outcome)
        }
    }

    private func batchEnded(_ batch: Pipeline.Batch) {
        if self.isShared {
            self.driver.batchSize.note(batch.statements, in: self.driver.now - batch.sentAt)
            self.sharedBatchEnded()
        } else {
            self.leasedBatchEnded()
        }
    }

    func probed(_ outcome: Pipeline.Outcome) {
        if case .rows(let result) = outcome { self.probe = Probe(result) }
        self.statements.server = self.probe?.backendPID == self.session?.backendPID ? .steady : .changing
    }
}

/// What a session says about itself when it is asked.
struct Probe {
    static let sql = "SELECT pg_backend_pid(), current_setting('default_transaction_read_only')"

    /// Of the process that answered. Behind a pooler it is not the one that libpq was told when it connected.
    let backendPID: Int32
    let isReadOnly: Bool

    init?(_ result: PGResult) {
        guard result.rowCount == 1, let pid = PQgetvalue(result.pointer, 0, 0).flatMap({ Int32(String(cString: $0)) }),
            let setting = PQgetvalue(result.pointer, 0, 1)
        else { return nil }
        self.backendPID = pid
        self.isReadOnly = String(cString: setting) == "on"
    }
}
