import FoundationEssentials

/// A table in which transactions leave a row of their own, so that after a lost connection somebody can say whether they happened.
///
/// When the connection is lost during COMMIT nobody knows the outcome. The transaction's number does not tell: after a crash the
/// server gives the numbers whose use had not reached its disk to other transactions, so that "committed" may be said of somebody else's. A row
/// that the transaction wrote itself is there if and only if it was committed.
///
/// The table is made by a migration:
/// ```sql
/// CREATE TABLE commit_markers (id uuid PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now());
/// ```
/// Rows are needed for seconds; `purge` removes them.
public struct PGCommitMarkers: Sendable {
    private let table: PGQuery

    public init(table: PGIdentifier, schema: PGIdentifier? = nil) {
        if let schema {
            self.table = "\(identifier: schema).\(identifier: table)"
        } else {
            self.table = "\(identifier: table)"
        }
    }

    /// Removes the rows that are older than `age`, and returns how many. An age of an hour is on the safe side.
    @discardableResult
    public func purge(olderThan age: Duration, on database: some PGQuerying) async throws -> Int {
        try await database.execute("DELETE FROM \(self.table) WHERE created_at < now() - \(age)")
    }

    func leave(_ marker: UUID, in transaction: PGTransaction) async throws {
        try await transaction.execute("INSERT INTO \(self.table) (id) VALUES (\(marker))")
    }

    /// Whether the transaction that left the marker was committed. Waits while it is still open: the unique key makes the server do so.
    func isCommitted(_ marker: UUID, on client: PGClient) async throws -> Bool {
        struct Undo: Error {}
        var isCommitted = false
        do {
            try await client.withTransaction { transaction in
                let inserted = try await transaction.execute(
                    "INSERT INTO \(self.table) (id) VALUES (\(marker)) ON CONFLICT DO NOTHING")
                isCommitted = inserted == 0
                throw Undo()
            }
        } catch is Undo {}
        return isCommitted
    }
}

extension PGClient {
    /// Runs `body` and COMMIT; when the connection is lost during COMMIT, finds out from the marker what happened. A transaction that only
    /// reads can leave none, and one in which a statement failed needs none.
    func withMarkedTransaction<R>(
        _ markers: PGCommitMarkers, _ modes: TransactionModes, file: StaticString, line: UInt,
        _ body: (PGTransaction) async throws -> R
    ) async throws -> R {
        let marker = UUID()
        var result: R?
        do {
            return try await self.withConnection(file: file, line: line) { connection in
                try await connection.withTransaction(modes) { transaction in
                    let value = try await body(transaction)
                    result = value
                    if !modes.readOnly, connection.transactionStatus != .inError {
                        try await markers.leave(marker, in: transaction)
                    }
                    return value
                }
            }
        } catch let error as PGError where error.code == .commitInDoubt && !modes.readOnly {
            guard let result, let isCommitted = try? await markers.isCommitted(marker, on: self) else { throw error }
            guard isCommitted else {
                throw PGError(
                    .connection, message: "the connection was lost during COMMIT, and the transaction was rolled back",
                    underlying: error)
            }
            return result
        }
    }
}
