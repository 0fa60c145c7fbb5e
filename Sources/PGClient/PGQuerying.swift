/// Something that statements can be sent to: a pool, a connection or a transaction.
public protocol PGQuerying: Sendable {
    /// Runs one statement.
    ///
    /// Throws `PGError`, or `CancellationError` when the task was cancelled and the statement stopped for that; a statement that
    /// had finished by then returns its rows.
    @discardableResult
    func query(_ query: PGQuery) async throws -> PGRows

    /// Runs one statement and lends its rows to `body` as they arrive, in constant memory.
    @discardableResult
    func withRows<R>(of query: PGQuery, _ body: (PGRowStream) async throws -> R) async throws -> R
}

extension PGQuerying {
    /// Runs one statement and returns how many rows it inserted, changed or deleted. Throws as `query` does.
    @discardableResult
    public func execute(_ query: PGQuery) async throws -> Int {
        try await self.query(query).affectedRows
    }
}
