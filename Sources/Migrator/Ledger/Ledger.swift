import PGClient

/// Reads the tables `migrate.ledger`, an entry for each time a file was applied or undone, and `migrate.journal`.
struct Ledger {
    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    /// The entries in the order in which they were made; nil when the database has no ledger yet.
    func entries() async throws -> [LedgerEntry]? {
        do {
            // What an earlier version of migrate has made lacks the columns that are read by to_jsonb.
            return try await self.db.query(
                """
                SELECT id, version, slug, state, coalesce(to_jsonb(ledger) ->> 'direction', 'up') AS direction, sha256, raw_sha256,
                    role, session_role, started_at, finished_at,
                    coalesce((to_jsonb(ledger) ->> 'statements_done')::integer, 0) AS statements_done,
                    coalesce((to_jsonb(ledger) ->> 'statements_total')::integer, 0) AS statements_total
                FROM migrate.ledger
                ORDER BY id
                """
            ).map(LedgerEntry.init)
        } catch let error as PGError where error.sqlState == "42P01" || error.sqlState == "3F000" {
            return nil
        }
    }

    /// Whether the tables are as this version makes them.
    func isCurrent() async throws -> Bool {
        try await self.db.value(
            """
            SELECT to_regclass('migrate.snapshot') IS NOT NULL AND EXISTS (
                SELECT FROM pg_attribute WHERE attrelid = to_regclass('migrate.ledger') AND attname = 'statements_total')
            """)
    }
}

extension LedgerEntry {
    init(_ row: PGRow) throws {
        self.init(
            id: try row.decode("id"), version: try row.decode("version"), slug: try row.decode("slug"),
            direction: try Self.read(row.decode("direction")), state: try Self.read(row.decode("state")),
            sha256: try row.decode("sha256"), rawSHA256: try row.decode("raw_sha256"), role: try row.decode("role"),
            sessionRole: try row.decode("session_role"), startedAt: try row.decode("started_at"),
            finishedAt: try row.decode("finished_at"), statementsDone: try row.decode("statements_done"),
            statementsTotal: try row.decode("statements_total"))
    }

    private static func read<Value: RawRepresentable>(_ text: String) throws -> Value where Value.RawValue == String {
        guard let value = Value(rawValue: text) else {
            throw MigrationFailure(
                .failed, "the ledger holds “\(text)”, which this version of migrate does not know",
                hint: "Use the version of migrate that wrote it, or a later one.")
        }
        return value
    }
}
