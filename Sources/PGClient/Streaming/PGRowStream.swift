/// The rows of a statement as they arrive, for as long as the closure that received them runs.
///
/// About a megabyte is read ahead, however large the result is; while nobody asks for more, the server waits. An error of the
/// server ends the stream by throwing, also after rows were delivered.
public struct PGRowStream: AsyncSequence {
    public typealias Element = PGRow

    let connection: PGConnection
    let job: Job
    let rows: Inflow<PGResult>

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(stream: self)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let stream: PGRowStream
        private var batch: [PGResult] = []
        private var position = 0

        fileprivate init(stream: PGRowStream) {
            self.stream = stream
        }

        /// The next row; nil after the last. Throws as `PGQuerying.query` does.
        public mutating func next() async throws -> PGRow? {
            if self.position == self.batch.count {
                self.batch = try await self.stream.connection.batch(of: self.stream.job, self.stream.rows)
                self.position = 0
            }
            guard self.position < self.batch.count else { return nil }
            defer { self.position += 1 }
            return PGRow(result: self.batch[self.position], index: 0)
        }
    }
}

@available(*, unavailable)
extension PGRowStream: Sendable {}

extension PGConnection {
    /// Runs one statement and lends its rows to `body` as they arrive, in constant memory.
    ///
    /// When `body` returns before the last row the statement is stopped; in a transaction, which must survive that, the rest is
    /// read and dropped. Until then the connection is busy: its other statements wait, those of `body` too, which would be for
    /// ever and is refused. Throws what `body` throws, and as `query` does.
    @discardableResult
    public func withRows<R>(of query: PGQuery, _ body: (PGRowStream) async throws -> R) async throws -> R {
        try await self.withRows(of: query, depth: 0, body)
    }

    func withRows<R>(of query: PGQuery, depth: Int, _ body: (PGRowStream) async throws -> R) async throws -> R {
        let rows = Inflow<PGResult>()
        let job = try Job.statement(query)
        job.delivery = .rows(rows)
        return try await self.run(job, depth: depth) {
            try await body(PGRowStream(connection: self, job: job, rows: rows))
        }
    }

    /// What has arrived of a stream; empty at its end.
    func batch<Element>(of job: Job, _ inflow: Inflow<Element>) async throws -> [Element] {
        let batch = try await self.cancelling(job) { try await inflow.take() }
        if batch.wasHeldBack { self.loop.tell(.goOn(job)) }
        return batch.elements
    }
}
