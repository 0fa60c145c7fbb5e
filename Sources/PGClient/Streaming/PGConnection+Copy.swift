extension PGConnection {
    /// Runs a `COPY … TO STDOUT` and lends its data to `body` as they arrive, in constant memory.
    ///
    /// What happens when `body` returns early, and what is thrown, is as with `withRows`.
    @discardableResult
    public func copyOut<R>(_ query: PGQuery, _ body: (PGCopyData) async throws -> R) async throws -> R {
        try await self.copyOut(query, depth: 0, body)
    }

    /// Runs a `COPY … FROM STDIN` with the data that `body` writes, and returns the number of rows.
    ///
    /// When `body` throws, or the task is cancelled, the server is told to undo it. Throws what `body` throws, and as `query` does.
    @discardableResult
    public func copyIn(_ query: PGQuery, _ body: (PGCopyWriter) async throws -> Void) async throws -> Int {
        try await self.copyIn(query, depth: 0, body)
    }

    func copyOut<R>(_ query: PGQuery, depth: Int, _ body: (PGCopyData) async throws -> R) async throws -> R {
        let data = Inflow<[UInt8]>()
        let job = try Self.copyJob(query, .copyOut(data))
        return try await self.run(job, depth: depth) {
            try await body(PGCopyData(connection: self, job: job, data: data))
        }
    }

    func copyIn(_ query: PGQuery, depth: Int, _ body: (PGCopyWriter) async throws -> Void) async throws -> Int {
        let data = Outflow()
        let job = try Self.copyJob(query, .copyIn(data))
        return try await self.run(job, depth: depth, fedBy: data) { isBinary in
            let writer = PGCopyWriter(connection: self, job: job, data: data, isBinary: isBinary)
            try await body(writer)
            try await writer.finish()
        }.affectedRows
    }

    func pass(_ chunk: [UInt8], of job: Job, to data: Outflow) {
        if data.append(chunk) { self.loop.tell(.goOn(job)) }
    }

    /// COPY takes no parameters, and by the simple protocol its errors come without a word from our side.
    private static func copyJob(_ query: PGQuery, _ delivery: Delivery) throws(PGError) -> Job {
        guard query.parameters.isEmpty else {
            throw PGError(
                .invalidParameter, message: "COPY takes no parameters",
                query: query.sql)
        }
        let job = try Job.simple(query.sql)
        job.delivery = delivery
        return job
    }
}
