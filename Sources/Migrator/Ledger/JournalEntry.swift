import PGClient

/// What the journal says of one statement of a file without transaction.
struct JournalEntry {
    /// From 1.
    let statement: Int
    let sha256: [UInt8]
    /// Whether it is known to have ended well.
    let isFinished: Bool

    static func all(of ledgerID: Int64, _ db: any PGQuerying) async throws -> [Self] {
        try await db.query(
            """
            SELECT statement, sha256, finished_at IS NOT NULL AS is_finished
            FROM migrate.journal WHERE ledger_id = \(ledgerID) ORDER BY statement
            """
        ).map { row in
            try JournalEntry(
                statement: Int(row.decode("statement", as: Int32.self)), sha256: row.decode("sha256"),
                isFinished: row.decode("is_finished"))
        }
    }
}
