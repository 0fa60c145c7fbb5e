import PGClient

/// The rows in which `migrate` records what it has applied. The server reads them and never writes.
struct LedgerRepository: Sendable {
    struct State: Sendable {
        let isApplied: Bool
        /// The highest version below which a later migration breaks servers; `nil` when none does.
        let breaksBefore: Int64?
    }

    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    func state(of version: Int64) async throws -> State {
        let row = try await self.db.query(
            """
            SELECT coalesce(bool_or(version = \(version) AND state IN ('applied', 'baseline')), false) AS is_applied,
                max(breaks_before) FILTER (WHERE version > \(version)) AS breaks_before
            FROM migrate.ledger
            WHERE state NOT IN ('undone', 'replaced')
            """
        )[0]  // an aggregate is always one row
        return try State(isApplied: row.decode("is_applied"), breaksBefore: row.decode("breaks_before"))
    }
}
