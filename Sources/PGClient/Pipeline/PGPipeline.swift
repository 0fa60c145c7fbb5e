/// Statements that are sent one behind the other, without waiting for answers.
public struct PGPipeline: Sendable {
    private(set) var queries: [PGQuery] = []

    /// Adds a statement; its outcome has the same place among the outcomes.
    public mutating func append(_ query: PGQuery) {
        self.queries.append(query)
    }
}

extension PGConnection {
    /// Sends the statements that `build` appends, and returns the outcome of each, in their order.
    ///
    /// Each statement is a transaction of its own: one that fails does not undo or stop the others, which ran even so. Much faster
    /// than one `query` after another, since the way to the server and back is taken once. COPY is not possible here.
    ///
    /// Throws what `build` throws; `PGError` with code `connection` when the connection is lost, `invalidParameter` when a
    /// statement cannot be sent, in which case none was; `CancellationError` when the task was cancelled before the last
    /// statement had ended: some have run, and up to 256 that were under way may run yet.
    public func pipeline(
        _ build: (inout PGPipeline) throws -> Void
    ) async throws -> [Result<PGRows, PGError>] {
        try await self.pipeline(depth: 0, build)
    }

    func pipeline(
        depth: Int,
        _ build: (inout PGPipeline) throws -> Void
    ) async throws -> [Result<PGRows, PGError>] {
        var pipeline = PGPipeline()
        try build(&pipeline)
        let queries = pipeline.queries
        guard !queries.isEmpty else { return [] }
        let job = try await self.run(Job.pipeline(queries), depth: depth)
        if let error = job.error { throw error }
        return job.outcomes
    }
}

extension PGTransaction {
    /// As `PGConnection.pipeline`, within the transaction: when a statement fails, those behind it do not run (`skipped`), and
    /// the transaction can only be rolled back.
    public func pipeline(
        _ build: (inout PGPipeline) throws -> Void
    ) async throws -> [Result<PGRows, PGError>] {
        try await self.connection.pipeline(depth: self.depth, build)
    }
}
