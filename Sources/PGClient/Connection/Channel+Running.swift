import CLibPQ
import DequeModule
import Glibc

extension Channel {
    /// Runs the job when those before it are done.
    func run(_ job: Job) {
        guard !job.isFinished else { return }
        guard self.isOpen else {
            return self.driver.finish(
                job, self.failure?.with(query: job.sql) ?? PGError(.connection, message: "the connection is closed"))
        }
        guard !job.isCancelled || job.isShielded else {
            self.driver.finish(job, CancellationError())
            return self.proceed()
        }
        job.channel = self
        guard self.job == nil else { return self.pending.append(job) }
        self.begin(job)
    }

    private func begin(_ job: Job) {
        self.job = job
        // Of what went before: notifications that nobody takes, or the time to ask whether the server is there.
        self.isHeldBack = false
        self.deadline = nil
        job.wasSent = true
        job.times.begun = self.driver.now
        job.startedInTransaction = PQtransactionStatus(self.connection) != PQTRANS_IDLE
        self.firstError = nil
        if job.isCancelled || job.isInternal {
            self.giveUp(after: job.timeLimit ?? self.driver.configuration.cancelBudget)
        }
        self.isRepeatable = !job.startedInTransaction
        self.start(job)
    }

    private func start(_ job: Job) {
        // What cannot be done within the transaction that may begin now.
        if self.isRepeatable, !job.isInternal, self.statements.isQuestionDue { return self.askServer() }
        switch job.work {
        case .simple where self.isRepeatable && !job.isInternal && self.statements.areTooManyAbandoned:
            self.deallocate(before: nil)
        case .simple(let sql):
            if !job.isInternal { self.dirt.formUnion(SessionDirt(sql: sql)) }
            self.step = .executing(nil)
            self.sent(PQsendQuery(self.connection, sql))
        case .statement(let statement):
            let query = statement.query
            switch self.statements.plan(statement) {
            case .askServer where self.isRepeatable: self.askServer()
            case .sendUnprepared, .askServer: self.execute(query, nil)
            case .prepare(let entry): self.prepare(query, entry)
            case .execute(let entry): self.execute(query, entry)
            }
        case .pipeline:
            if self.statements.server == .unknown && self.isRepeatable {
                self.askServer()
            } else {
                self.beginPipeline()
            }
        }
    }

    /// Once, before anything is prepared. Outside of a transaction only, which might have to begin with something else.
    private func askServer() {
        self.step = .askingServer
        self.sent(PQsendQueryParams(self.connection, Probe.sql, 0, nil, nil, nil, nil, 0))
    }

    private func prepare(_ query: PGQuery, _ entry: StatementCache.Entry) {
        // Outside of a transaction only: an error must not end somebody's transaction.
        guard !self.isRepeatable || self.statements.abandoned.isEmpty else { return self.deallocate(before: entry) }
        entry.dirt = SessionDirt(sql: query.sql)
        self.step = .preparing(entry)
        self.sent(PQsendPrepare(self.connection, entry.name, query.sql, Int32(entry.types.count), entry.types))
    }

    private func deallocate(before entry: StatementCache.Entry?) {
        self.step = .deallocating(entry)
        let names = self.statements.takeAbandoned()
        self.sent(PQsendQuery(self.connection, names.map { "DEALLOCATE " + $0 }.joined(separator: ";")))
    }

    private func execute(_ query: PGQuery, _ entry: StatementCache.Entry?) {
        self.step = .executing(entry)
        self.sent(self.send(query, entry))
        if case .rows? = self.job?.delivery, self.isOpen { PQsetSingleRowMode(self.connection) }
    }

    /// Hands the statement to libpq; 1 when it took it.
    func send(_ query: PGQuery, _ entry: StatementCache.Entry?) -> Int32 {
        if !self.isShared { self.dirt.formUnion(entry?.dirt ?? SessionDirt(sql: query.sql)) }
        let connection = self.connection
        guard let entry else {
            return query.withCString { sql in
                ParameterBuffer.with(query.parameters) { count, types, values, lengths, formats in
                    PQsendQueryParams(connection, sql, count, types, values, lengths, formats, 1)
                }
            }
        }
        return entry.nameBytes.withUnsafeBufferPointer { name in
            ParameterBuffer.with(query.parameters) { count, _, values, lengths, formats in
                PQsendQueryPrepared(connection, name.baseAddress, count, values, lengths, formats, 1)
            }
        }
    }

    private func sent(_ status: Int32) {
        guard status == 1 else { return self.failWithLibPQsWords() }
        self.flush()
    }

    func failWithLibPQsWords() {
        self.fail(PGError(.connection, message: String(cString: PQerrorMessage(self.connection)).onOneLine))
    }

    /// Writes what libpq has buffered. While the socket takes no more, it is watched for that, and read all the same: a server
    /// that waits for us to read does not read itself.
    func flush() {
        switch PQflush(self.connection) {
        case 0: self.pollEvents = Int16(POLLIN)
        case 1: self.pollEvents = Int16(POLLIN) | Int16(POLLOUT)
        default: self.broken()
        }
    }

    func receive() {
        let (noticesBefore, isCopyingIn) = (self.notices.count, self.isCopyingIn)
        guard PQconsumeInput(self.connection) == 1 else { return self.broken() }
        if isCopyingIn { self.suspectError(noticesBefore) }
        if self.pollEvents & Int16(POLLOUT) != 0 { self.flush() }
        self.collect()
    }

    /// Takes every result that is complete, as far as those who take them keep up.
    func collect() {
        defer { self.job?.delivery?.deliver() }
        if self.isPipelining { self.collectPipelined() }
        while self.isOpen, !self.isHeldBack, !self.isPipelining || self.pipeline.items.isEmpty,
            PQisBusy(self.connection) == 0
        {
            guard self.job != nil else { return self.listen() }
            switch self.step {
            case .awaitingCancelRequest:
                return self.listen()
            case .copyingIn:
                return self.takeNotifications()
            case .copyingOut(let data):
                guard self.readCopyData(into: data) else { return }
                continue
            default:
                break
            }
            if let result = PQgetResult(self.connection) {
                self.take(result)
            } else {
                self.stepEnded()
            }
        }
        if self.isOpen, self.isComplaintHeldBack { self.broken() }
    }

    /// Whether libpq complains of what the server sends and keeps that until the query ends, which may be never: so it does with rows
    /// that were not announced. What it says is cleared when it turns to the next query, also in a pipeline.
    private var isComplaintHeldBack: Bool {
        guard self.job != nil || !self.pipeline.items.isEmpty, self.firstError == nil, PQisBusy(self.connection) == 1
        else { return false }
        if case .deallocating = self.step { return false }
        return PQerrorMessage(self.connection)?.pointee != 0
    }

    /// Reads on a connection that has nothing to do: notifications, notices, the server's farewell.
    private func listen() {
        self.takeNotifications()
        if let farewell = self.notices.farewell { return self.fail(farewell) }
        if PQstatus(self.connection) == CONNECTION_BAD { self.broken() }
    }

    private func take(_ result: OpaquePointer) {
        switch (PQresultStatus(result), self.job?.delivery) {
        case (PGRES_SINGLE_TUPLE, .rows(let rows)):
            self.deliver(row: PGResult(result), to: rows)
        case (PGRES_COPY_OUT, .copyOut(let data)):
            PQclear(result)
            self.step = .copyingOut(data)
        case (PGRES_COPY_IN, .copyIn(let data)):
            data.start(isBinary: PQbinaryTuples(result) == 1)
            PQclear(result)
            self.step = .copyingIn(data)
        case (PGRES_TUPLES_OK, _), (PGRES_COMMAND_OK, _), (PGRES_EMPTY_QUERY, _):
            let result = PGResult(result)
            switch self.step {
            case .executing:
                self.noticeTag(result, sql: self.job?.sql ?? "")
                self.job?.add(result)
            case .askingServer:
                self.probed(.rows(result))
            default:
                break
            }
        case (PGRES_COPY_IN, _), (PGRES_COPY_OUT, _), (PGRES_COPY_BOTH, _):
            PQclear(result)
            self.fail(
                PGError(.unsupported, message: "COPY to or from the client needs copyOut or copyIn instead of query"))
        default:
            let error = PGError(result: result, query: self.job?.sql)
            PQclear(result)
            if case .deallocating = self.step, error.sqlState != nil { return }  // The statement is gone already.
            if self.firstError == nil { self.firstError = error }
            // It is libpq that complains, of the line or of what the server sends: the end that it waits for may never come.
            if error.sqlState == nil { self.broken() }
        }
    }

    /// Some statements change what the session holds: it may lose its prepared statements, or keep something of its own.
    func noticeTag(_ result: PGResult, sql: @autoclosure () -> String) {
        guard let tag = PQcmdStatus(result.pointer) else { return }
        switch UInt8(bitPattern: tag[0]) {
        case UInt8(ascii: "D") where strcmp(tag, "DISCARD ALL") == 0 || strcmp(tag, "DEALLOCATE ALL") == 0:
            self.statements.clear()
        case UInt8(ascii: "S") where strcmp(tag, "SET") == 0, UInt8(ascii: "L"), UInt8(ascii: "P"):
            if self.job?.isInternal != true { self.dirt.formUnion(SessionDirt(commandTag: tag, sql: sql())) }
        default:
            break
        }
    }

    private func stepEnded() {
        guard let job else { return }
        if let firstError, firstError.endsSession || PQstatus(self.connection) == CONNECTION_BAD {
            return self.fail(firstError)
        }
        // The server has it now, whether the task still wants it or not.
        if case .preparing(let entry) = self.step, self.firstError == nil { self.statements.markPrepared(entry) }
        switch (self.step, job.work) {
        case (.deallocating(let entry?), .statement(let statement)) where !job.isCancelled:
            self.prepare(statement.query, entry)
        case (.deallocating(nil), _) where !job.isCancelled:
            self.start(job)
        case (.preparing(let entry), .statement(let statement)) where self.firstError == nil && !job.isCancelled:
            self.execute(statement.query, entry)
        case (.askingServer, _) where !job.isCancelled:
            // A server that does not answer this is none that statements may be prepared on.
            if self.firstError != nil { self.statements.server = .changing }
            self.firstError = nil
            self.start(job)
        case (.executing(let entry?), .statement(let statement))
        where self.firstError?.isStalePlan == true && !job.isCancelled:
            let renewed = self.statements.renew(statement, instead: entry)
            guard self.isRepeatable else { return self.finish(job) }
            self.isRepeatable = false
            self.firstError = nil
            job.forget()
            self.prepare(statement.query, renewed)
        default:
            self.finish(job)
        }
    }

    /// The job is done, but the connection is not free while a cancel request for it may still arrive.
    func finish(_ job: Job) {
        guard !self.isCancelRequestUnderWay else {
            self.step = .awaitingCancelRequest
            return
        }
        self.complete(job)
    }

    func complete(_ job: Job) {
        self.deliver(job)
        if job.isInternal && self.firstError != nil, let firstError { return self.fail(firstError) }
        self.proceed()
    }

    /// The task is told what became of the job.
    func deliver(_ job: Job) {
        self.step = .none
        self.job = nil
        self.deadline = nil
        self.giveUpAt = nil
        job.transactionStatus = PGTransactionStatus(PQtransactionStatus(self.connection))
        if job.mayChangeSession, let connection {
            let session = Session(connection)
            self.session = session
            job.session = session
        }
        if job.isCancelled && !job.isShielded && job.wasStopped(self.firstError) {
            self.driver.finish(job, CancellationError())
        } else {
            self.driver.finish(job, self.firstError)
        }
    }

    /// Goes on with the next job, or gives the connection back when it was not borrowed by a caller.
    private func proceed() {
        guard self.isOpen, self.job == nil else { return }
        if let next = self.pending.popFirst() {
            next.channel = nil
            self.run(next)
        } else if self.lease == nil {
            self.driver.giveBack(self)
        } else {
            self.scheduleHeartbeat()
        }
    }

    /// Whether the connection can be given to somebody else as it is. If not, what was left behind is being undone, and it is given
    /// back then.
    func clean() -> Bool {
        guard self.job == nil else {
            self.fail(PGError(.invalidState, message: "the connection was given back with a query running"))
            return false
        }
        switch PQtransactionStatus(self.connection) {
        case PQTRANS_IDLE where self.dirt.isEmpty:
            return true
        case PQTRANS_IDLE:
            if self.statements.server == .changing { self.driver.warnOfPooler(self.dirt) }
            let cleaning = Job(.simple(self.dirt.cleaning), isShielded: true, mayChangeSession: true)
            cleaning.isInternal = true
            self.dirt = []
            self.run(cleaning)
            return false
        case PQTRANS_INTRANS, PQTRANS_INERROR:
            let rollback = Job(.simple("ROLLBACK"), isShielded: true)
            rollback.isInternal = true
            self.run(rollback)
            return false
        default:
            self.fail(PGError(.connection, message: "the connection was given back in a state that is not known"))
            return false
        }
    }

    /// The socket is dead. What the server managed to say before comes first, then libpq's own words.
    func broken() {
        let words = String(cString: PQerrorMessage(self.connection)).onOneLine
        if self.isPipelining { self.collectPipelined() }
        while self.isOpen, self.job != nil,
            PQisBusy(self.connection) == 0 || PQstatus(self.connection) == CONNECTION_BAD,
            let result = PQgetResult(self.connection)
        {
            self.take(result)
        }
        self.takeNotifications()
        let error = self.firstError?.sqlState == nil ? self.notices.farewell ?? self.firstError : self.firstError
        self.fail(error ?? PGError(.connection, message: words))
    }
}
