/// What streams of rows and COPY share.
extension PGConnection {
    /// Runs `body` beside the statement that it reads the results of, and returns when both have ended.
    func run<R>(_ job: Job, depth: Int, readBy body: () async throws -> R) async throws -> R {
        try self.start(job, depth: depth)
        let result: Result<R, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        self.loop.tell(.leave(job))
        await self.ended(job)
        // What `body` did not read may have failed too: that matters to the transaction, which goes on with it.
        if case .success = result, job.isLeft, let error = job.error, !(error is CancellationError) { throw error }
        return try result.get()
    }

    /// Runs `body` beside the statement that it feeds, and returns what the statement did.
    func run(_ job: Job, depth: Int, fedBy data: Outflow, _ body: (Bool) async throws -> Void) async throws -> PGRows {
        try self.start(job, depth: depth)
        do {
            let isBinary = try await self.cancelling(job) { try await data.started() }
            try await body(isBinary)
            try Task.checkCancellation()
            data.end(.done)
        } catch {
            data.end(.failed("the client gave up"))
            self.loop.tell(.goOn(job))
            await self.ended(job)
            throw error
        }
        self.loop.tell(.goOn(job))
        await self.ended(job)
        return try job.rows()
    }

    /// Runs `body`, which waits for the job; when the task is cancelled so is the job, and `body` sees it end.
    func cancelling<R>(_ job: Job, _ body: () async throws -> R) async throws -> R {
        try await withTaskCancellationHandler {
            try await body()
        } onCancel: {
            self.loop.tell(.cancel(.job(job)))
        }
    }

    private func start(_ job: Job, depth: Int) throws {
        job.trace = self.loop.observer.begin(job)
        do throws(PGError) {
            try self.stream(job, depth: depth)
        } catch {
            job.error = error
            self.loop.observer.end(job, job.trace)
            throw error
        }
    }

    private func ended(_ job: Job) async {
        await withTaskCancellationHandler {
            await job.delivery?.ended()
        } onCancel: {
            self.loop.tell(.cancel(.job(job)))
        }
        self.loop.observer.end(job, job.trace)
        self.endStreaming(job)
    }
}
