import PGClient

extension PGQuerying {
    /// The only value of a query that always has one row and one column.
    func value<Value: PGDecodable>(_ query: PGQuery, as type: Value.Type = Value.self) async throws -> Value {
        let rows = try await self.query(query)
        guard let row = rows.first, let column = rows.columns.first else {
            throw MigrationFailure(.failed, "the server gave no answer to \(query)")
        }
        return try row.decode(column)
    }
}
