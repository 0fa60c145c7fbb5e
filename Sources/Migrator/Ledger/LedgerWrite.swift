/// The statements that write the ledger: sent as they are by a run, and put into the scripts for `psql`.
struct LedgerWrite {
    let file: MigrationFile
    let breaksBefore: Int64?
    /// Who applies the file, as a literal or a variable of `psql`.
    let role: SQLText
    /// A JSON object.
    let settings: String
    let applicationName: SQLText

    init(_ script: MigrationScript, role: SQLText, settings: String, applicationName: SQLText) {
        self.file = script.file
        self.breaksBefore = script.directives.breaksBefore
        self.role = role
        self.settings = settings
        self.applicationName = applicationName
    }

    /// Records that the transaction at hand has applied the file, or undone it.
    ///
    /// It has to be the one with the number `xid`, if that is given; otherwise the column `xid` is violated.
    func ended(_ direction: LedgerEntry.Direction, in xid: String? = nil) -> SQLText {
        direction == .up
            ? self.entry(direction: .up, state: .applied, xid: xid)
            : Self.undo(self.file.version) + self.entry(direction: .down, state: .undone, xid: xid)
    }

    /// Takes the file as applied.
    var baseline: SQLText { self.entry(direction: .up, state: .baseline) }

    /// Records that a file without transaction is begun. Returns the entry's `id`.
    func begun(_ direction: LedgerEntry.Direction, statements: Int) -> SQLText {
        self.entry(direction: direction, state: .running, statements: Int64(statements))
    }

    /// Another entry takes this one's place.
    static func replace(_ entry: LedgerEntry) -> SQLText {
        "UPDATE migrate.ledger SET state = 'replaced' WHERE id = \(entry.id);\n"
    }

    private func entry(
        direction: LedgerEntry.Direction, state: LedgerEntry.State, statements: Int64 = 0, xid: String? = nil
    ) -> SQLText {
        let current: SQLText = "pg_catalog.pg_current_xact_id()"
        let checked = xid.map { SQLText("CASE \(current) WHEN \($0) THEN \(current) END") } ?? current
        let end: SQLText = state == .running ? "NULL" : "pg_catalog.clock_timestamp()"
        return """
            INSERT INTO migrate.ledger (
                version, slug, kind, direction, sha256, raw_sha256, state, breaks_before, role, session_role, application_name,
                tool_version, settings, xid, started_at, finished_at, statements_total)
            VALUES (
                \(self.file.version), \(self.file.slug), \(self.file.version == nil ? "repeatable" : "versioned"),
                \(direction.rawValue), \(self.file.sha256), \(self.file.rawSHA256), \(state.rawValue), \(self.breaksBefore),
                \(self.role), session_user, \(self.applicationName), \(Migrator.version),
                \(self.settings)::pg_catalog.jsonb, \(checked), pg_catalog.transaction_timestamp(), \(end),
                \(statements))
            RETURNING id;

            """
    }

    /// What was applied is in force no longer, and neither are the repeatable files: what they made may be gone with it.
    fileprivate static func undo(_ version: Int64?) -> SQLText {
        """
        UPDATE migrate.ledger SET state = 'undone'
        WHERE (version = \(version) OR kind = 'repeatable') AND direction = 'up' AND state IN ('applied', 'baseline');

        """
    }
}

/// The same for the entry of a file without transaction, which was made when the file was begun.
struct JournalWrite {
    /// The entry's id, as a number or as a variable of `psql`.
    let entry: SQLText

    /// The file goes on, maybe with statements that were mended. The one that failed is not begun any more.
    func resumed(_ file: MigrationFile, statements: Int) -> SQLText {
        """
        DELETE FROM migrate.journal USING migrate.ledger
        WHERE ledger_id = \(self.entry) AND id = ledger_id AND state = 'failed' AND journal.finished_at IS NULL;
        UPDATE migrate.ledger
        SET state = 'running', sha256 = \(file.sha256), raw_sha256 = \(file.rawSHA256), statements_total = \(Int64(statements)), error = NULL
        WHERE id = \(self.entry);

        """
    }

    func began(_ statement: Int, sha256: [UInt8]) -> SQLText {
        """
        INSERT INTO migrate.journal (ledger_id, statement, sha256, started_at)
        VALUES (\(self.entry), \(Int64(statement)), \(sha256), pg_catalog.transaction_timestamp())
        ON CONFLICT (ledger_id, statement) DO UPDATE SET sha256 = excluded.sha256, started_at = excluded.started_at;

        """
    }

    func finished(_ statement: Int) -> SQLText {
        """
        UPDATE migrate.journal SET finished_at = pg_catalog.clock_timestamp()
        WHERE ledger_id = \(self.entry) AND statement = \(Int64(statement));
        UPDATE migrate.ledger SET statements_done = \(Int64(statement)) WHERE id = \(self.entry);

        """
    }

    func failed(_ message: String) -> SQLText {
        "UPDATE migrate.ledger SET state = 'failed', error = \(message) WHERE id = \(self.entry);\n"
    }

    /// All statements are done.
    func ended(_ direction: LedgerEntry.Direction, _ version: Int64?) -> SQLText {
        let end: SQLText = "finished_at = pg_catalog.clock_timestamp() WHERE id = \(self.entry);\n"
        guard direction == .down else { return "UPDATE migrate.ledger SET state = 'applied', " + end }
        return LedgerWrite.undo(version) + "UPDATE migrate.ledger SET state = 'undone', " + end
    }
}
