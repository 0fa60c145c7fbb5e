/// An open transaction, for as long as the closure that received it runs.
public final class PGTransaction: PGQuerying {
    let connection: PGConnection
    let depth: Int

    init(connection: PGConnection, depth: Int) {
        self.connection = connection
        self.depth = depth
    }

    @discardableResult
    public func query(_ query: PGQuery) async throws -> PGRows {
        try await self.connection.run(Job.statement(query), depth: self.depth).rows()
    }

    /// As `PGConnection.simpleQuery`, within the transaction.
    @discardableResult
    public func simpleQuery(unsafeSQL: String) async throws -> [PGRows] {
        try await self.connection.run(Job.simple(unsafeSQL), depth: self.depth).allRows()
    }

    /// As `PGConnection.withRows`, within the transaction, which survives when `body` returns early.
    @discardableResult
    public func withRows<R>(of query: PGQuery, _ body: (PGRowStream) async throws -> R) async throws -> R {
        try await self.connection.withRows(of: query, depth: self.depth, body)
    }

    /// As `PGConnection.copyOut`, within the transaction, which survives when `body` returns early.
    @discardableResult
    public func copyOut<R>(_ query: PGQuery, _ body: (PGCopyData) async throws -> R) async throws -> R {
        try await self.connection.copyOut(query, depth: self.depth, body)
    }

    /// As `PGConnection.copyIn`, within the transaction.
    @discardableResult
    public func copyIn(_ query: PGQuery, _ body: (PGCopyWriter) async throws -> Void) async throws -> Int {
        try await self.connection.copyIn(query, depth: self.depth, body)
    }

    /// Runs `body` in a savepoint: when it throws, what it did is undone and the transaction can go on.
    ///
    /// While it runs, statements go through the inner transaction only; the outer one refuses them with `invalidState`.
    @discardableResult
    public func withTransaction<R>(_ body: (PGTransaction) async throws -> R) async throws -> R {
        let name = "_pgclient_\(self.depth)"
        return try await self.connection.withTransaction(
            depth: self.depth,
            .init(
                begin: "SAVEPOINT \(name)",
                commit: "RELEASE SAVEPOINT \(name)",
                rollback: "ROLLBACK TO SAVEPOINT \(name); RELEASE SAVEPOINT \(name)"
            ),
            body
        )
    }
}
