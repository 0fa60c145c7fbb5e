/// The statements that write the ledger: sent as they are by a run, and put into the scripts for `psql`.
struct LedgerWrite {
    let file: MigrationFile
    let breaksBefore: Int64?
    /// Who applies the file.
    let role: String
    /// A JSON object.
    let settings: String

    /// Records what the transaction at hand has done. Returns the transaction's number.
    var applied: SQLText { self.entry(state: "applied", isFinished: true) }

    /// Takes the file as applied.
    var baseline: SQLText { self.entry(state: "baseline", isFinished: true) }

    private func entry(state: String, direction: String = "up", isFinished: Bool, statements: Int64 = 0) -> SQLText {
        let now: SQLText = isFinished ? "pg_catalog.clock_timestamp()" : "NULL"
        return """
            INSERT INTO migrate.ledger (
                version, slug, kind, direction, sha256, raw_sha256, state, breaks_before, role, session_role, application_name,
                tool_version, settings, xid, started_at, finished_at, statements_total)
            VALUES (
                \(self.file.version), \(self.file.slug), \(self.file.version == nil ? "repeatable" : "versioned"), \(direction),
                \(self.file.sha256), \(self.file.rawSHA256), \(state), \(self.breaksBefore), \(self.role), session_user,
                pg_catalog.current_setting('application_name'), \(Migrator.version), \(self.settings)::pg_catalog.jsonb,
                pg_catalog.pg_current_xact_id(), pg_catalog.transaction_timestamp(), \(now), \(statements))
            RETURNING id, xid::pg_catalog.text
            """
    }
}
