internal import OpenSSLCrypto

/// A text that `psql` runs, and that leaves behind what `Migrator.up` would.
struct PsqlScript {
    /// In the order of application.
    let scripts: [MigrationScript]
    /// What has to be in force where it is run.
    let expected: State
    let options: MigratorOptions
    /// A JSON object.
    let settings: String

    struct State {
        let versions: [Int64]
        /// Names and hashes of the repeatable files, in their order; nil when those are not known.
        let repeatables: [String]?
    }

    /// Throws `MigrationFailure` for what `psql` would read otherwise than the server.
    func text() throws(MigrationFailure) -> String {
        for script in self.scripts { try self.checkColons(script) }
        return self.opening + self.scripts.map(self.part).joined() + Self.ending
    }

    private var opening: String {
        let names = self.scripts.map { "--     " + $0.file.fileName }.joined(separator: "\n")
        let guardStatement: SQLText = """
            DO $migrate$
            BEGIN
                IF \(self.expected.isOther) THEN
                    RAISE EXCEPTION 'this script was made for another state of the database'
                        USING HINT = 'Compare with migrate status, and make the script anew.';
                END IF;
                IF EXISTS (SELECT FROM migrate.ledger WHERE state IN ('running', 'failed')) THEN
                    RAISE EXCEPTION 'a migration of this database stands half-way' USING HINT = 'Let migrate up end it first.';
                END IF;
            END
            $migrate$;
            """
        return """
            -- Written by migrate \(Migrator.version). It applies
            \(names)
            -- and records that in the ledger, as migrate up does, but for trying again when tables are locked. To be run by
            --     psql -X -f FILE
            \\set ON_ERROR_STOP on
            \\set ON_ERROR_ROLLBACK off
            \\set AUTOCOMMIT on
            \\o /dev/null
            SET client_encoding = 'UTF8';

            SELECT pg_catalog.pg_try_advisory_lock(\(RunLock.namespace), \(RunLock.key)) AS migrate_locked \\gset
            \\if :migrate_locked
            \\else
            DO $migrate$ BEGIN RAISE EXCEPTION 'another run of migrate holds this database''s lock'; END $migrate$;
            \\endif

            BEGIN;
            \((self.ledgerRole + LedgerTables.statements + guardStatement).text)
            COMMIT;

            """
    }

    private static let ending = """

        \(SessionSettings.forgetting.text)
        SELECT pg_catalog.pg_advisory_unlock(\(RunLock.namespace), \(RunLock.key));
        \\o
        \\echo done

        """

    private var ledgerRole: SQLText { SessionSettings.ledger(role: self.options.role, isLocal: true) }

    private func part(_ script: MigrationScript) -> String {
        let isWhole = !script.directives.isWithoutTransaction
        let settings = SessionSettings(
            script: script, options: self.options, serverVersion: 0,
            lockTimeout: script.directives.lockTimeout ?? self.options.lockTimeout, applicationName: "psql")
        return """

            \\echo applying \(script.file.fileName)
            \(isWhole ? SessionSettings.forgetting.text + "BEGIN;" : "")
            \(settings.statements(isLocal: isWhole).text)
            SELECT current_user AS migrate_role \\gset
            \(isWhole ? self.transaction(script) : self.statements(script))

            """
    }

    private func write(_ script: MigrationScript) -> LedgerWrite {
        LedgerWrite(
            script, role: ":'migrate_role'", settings: self.settings, applicationName: "'psql'")
    }

    private func transaction(_ script: MigrationScript) -> String {
        """
        \(script.statements.map { Self.statement($0, of: script) }.joined(separator: "\n"))
        SET CONSTRAINTS ALL IMMEDIATE;
        \((self.ledgerRole + self.write(script).ended(.up)).text)
        COMMIT;
        """
    }

    private func statements(_ script: MigrationScript) -> String {
        let journal = JournalWrite(entry: ":migrate_id")
        let begun = self.write(script).begun(.up, statements: script.statements.count).text
        var text =
            "BEGIN;\n" + self.ledgerRole.text + begun.replacing(/;\s*$/, with: "") + " \\gset migrate_\nCOMMIT;\n"
        for (index, statement) in script.statements.enumerated() {
            let source = Self.statement(statement, of: script)
            let kind = StatementKind(script.text(of: statement))
            let began = journal.began(index + 1, sha256: script.sha256(of: statement))
            let finished = journal.finished(index + 1)
            switch kind {
            case .ordinary, .setting:
                text +=
                    "BEGIN;\n" + source + "\n" + (self.ledgerRole + began + finished).text
                    + "COMMIT;\n"
            default:
                let wait = script.directives.snapshotWait ?? self.options.snapshotWait
                let timeout = kind.waitsForSnapshots ? wait : script.directives.lockTimeout ?? self.options.lockTimeout
                text +=
                    self.inTransaction(began) + "SET lock_timeout = \(timeout.milliseconds);\n"
                    + source + "\n"
                text += self.inTransaction(finished)
            }
        }
        return text + self.inTransaction(journal.ended(.up, script.file.version))
    }

    private func inTransaction(_ text: SQLText) -> String {
        "BEGIN;\n" + (self.ledgerRole + text).text + "COMMIT;\n"
    }

    /// The last statement of a file may end without a semicolon, and with a comment.
    private static func statement(_ statement: SQLLexer.Statement, of script: MigrationScript) -> String {
        let text = script.text(of: statement)
        var lines = text.hasSuffix(";") ? text : text + "\n;"
        if let data = script.data(of: statement) {
            lines += "\n" + data + (data.isEmpty || data.hasSuffix("\n") ? "" : "\n") + "\\."
        }
        return lines
    }

    /// `psql` puts the value of a variable of its own in place of a colon and the variable's name, as in `a[1:row_count]`.
    private func checkColons(_ script: MigrationScript) throws(MigrationFailure) {
        for statement in script.statements {
            let tokens = SQLTokens.of(script.text(of: statement))
            for (colon, next) in zip(tokens, tokens.dropFirst()) where colon == .sign(UInt8(ascii: ":")) {
                guard case .word(let word) = next, Self.variables.contains(word) || word.hasPrefix("migrate_") else {
                    continue
                }
                throw MigrationFailure(
                    .failed, "psql would put a variable of its own in place of :\(word)",
                    place: .init(script.file, statement.position),
                    hint: "Put a space behind the colon, or apply the file with migrate up.")
            }
        }
    }

    private static let variables: Set<String> = [
        "autocommit", "comp_keyword_case", "dbname", "echo", "echo_hidden", "encoding", "error", "fetch_count",
        "hide_tableam", "hide_toast_compression", "histcontrol", "histfile", "histsize", "host", "ignoreeof",
        "last_error_message", "last_error_sqlstate", "lastoid", "on_error_rollback", "on_error_stop", "port", "prompt1",
        "prompt2", "prompt3", "quiet", "row_count", "server_version_name", "server_version_num", "show_all_results",
        "show_context", "singleline", "singlestep", "sqlstate", "user", "verbosity", "version", "version_name",
        "version_num",
    ]
}

extension PsqlScript.State {
    init(_ applied: AppliedMigrations) {
        self.versions = applied.versions.keys.sorted()
        self.repeatables = applied.repeatables.values.map { "\($0.slug) \(Hex.encode($0.sha256))" }.sorted()
    }

    /// A condition that is true where something else is in force.
    fileprivate var isOther: SQLText {
        let inForce: SQLText = "direction = 'up' AND state IN ('applied', 'baseline')"
        let versions = SQLText(joining: self.versions.map { "\($0)" }, by: ", ")
        let isOther: SQLText = """
            (SELECT array_agg(version ORDER BY version) FROM migrate.ledger WHERE version IS NOT NULL AND \(inForce))
                    IS DISTINCT FROM nullif(ARRAY[\(versions)]::bigint[], '{}')
            """
        guard let repeatables else { return isOther }
        let files = SQLText(joining: repeatables.map { "\($0)" }, by: ", ")
        return isOther + """

                    OR (SELECT array_agg(slug || ' ' || encode(sha256, 'hex') ORDER BY slug COLLATE "C") FROM (
                        SELECT DISTINCT ON (slug) slug, sha256 FROM migrate.ledger WHERE version IS NULL AND \(inForce)
                        ORDER BY slug, id DESC) AS repeatable)
                    IS DISTINCT FROM nullif(ARRAY[\(files)]::text[], '{}')
            """
    }
}

extension Migrator {
    /// A text for `psql` that applies what is pending. Reads only, and takes no lock. Throws `MigrationFailure`.
    public func script(_ files: [MigrationFile]) async throws -> String {
        try await self.withConnection { connection in
            let ledger = try await Ledger(connection).entries() ?? []
            let plan = try Plan(files: files, ledger: ledger, to: self.options.target)
            try plan.check()
            if let half = plan.pending.first(where: { plan.unfinished($0.file) != nil }) {
                throw MigrationFailure(
                    .failed, "\(half.file.fileName) stands half-way", hint: "Let `migrate up` end it first.")
            }
            return try self.script(plan.pending, on: .init(AppliedMigrations(ledger)))
        }
    }

    /// The same for a database that stands at `version`, 0 for an empty one, without asking any.
    public func script(_ files: [MigrationFile], from version: Int64) throws(MigrationFailure) -> String {
        let (before, after) = (
            files.filter { ($0.version ?? .max) <= version }, files.filter { ($0.version ?? .max) > version }
        )
        guard version == 0 || before.last?.version == version else {
            throw MigrationFailure(.usage, "there is no migration with version \(version)")
        }
        var scripts: [MigrationScript] = []
        for file in after where (file.version ?? .min) <= self.options.target ?? .max {
            scripts.append(try MigrationScript(file))
        }
        return try self.script(
            scripts, on: .init(versions: before.compactMap(\.version), repeatables: version == 0 ? [] : nil))
    }

    private func script(_ scripts: [MigrationScript], on expected: PsqlScript.State) throws(MigrationFailure) -> String
    {
        let settings: String
        do { settings = try self.settingsJSON() } catch {
            throw MigrationFailure(.usage, "a setting is no text: \(error)")
        }
        return try PsqlScript(scripts: scripts, expected: expected, options: self.options, settings: settings).text()
    }
}
