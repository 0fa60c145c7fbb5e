import FoundationEssentials
import PGClient

/// What the session is set to for a file, and for writing the ledger.
struct SessionSettings {
    let script: MigrationScript
    let options: MigratorOptions
    let serverVersion: Int
    let lockTimeout: Duration
    /// What the session calls itself, so that whoever looks at the server sees which file is at work.
    let applicationName: String

    /// Statements that leave nothing of an earlier file in the session but its advisory locks, of which the run's own is one. They stand
    /// before a transaction, which begins as the session is set.
    static let forgetting: SQLText = """
        RESET SESSION AUTHORIZATION; RESET ALL; CLOSE ALL; DEALLOCATE ALL; UNLISTEN *; DISCARD SEQUENCES; DISCARD TEMP;
        SET client_encoding = 'UTF8';

        """

    /// Statements that set what the file asks for: until the transaction ends when `isLocal`; otherwise they forget first, and set it
    /// until the session ends.
    func statements(isLocal: Bool) -> SQLText {
        (isLocal ? "" : Self.forgetting) + Self.set(self.values, isLocal: isLocal)
    }

    /// Who writes the ledger, whatever role a file has taken.
    static func ledger(role: String?, isLocal: Bool) -> SQLText {
        Self.set([("role", role)], isLocal: isLocal)
    }

    /// nil is what the session has by itself.
    private var values: [(name: SQLText, value: String?)] {
        let statementTimeout = self.script.directives.statementTimeout ?? .zero
        var values: [(name: SQLText, value: String?)] = [
            // The rules by which the file was split into statements.
            ("standard_conforming_strings", "on"),
            ("application_name", self.applicationName + ": " + self.script.file.fileName),
            ("lock_timeout", "\(self.lockTimeout.milliseconds)"),
            ("statement_timeout", "\(statementTimeout.milliseconds)"),
            ("idle_in_transaction_session_timeout", "0"),
        ]
        // So that the server does not go on with a statement, and keep the lock, for a migrate that was killed.
        if self.serverVersion >= 140_000 { values.append(("client_connection_check_interval", "1000")) }
        values += self.options.settings.sorted { $0.key < $1.key }.map { ("migrate.\(name: $0.key)", $0.value) }
        values.append(("role", self.script.directives.role ?? self.options.role))
        return values
    }

    private static func set(_ values: [(name: SQLText, value: String?)], isLocal: Bool) -> SQLText {
        let scope: SQLText = isLocal ? "LOCAL" : "SESSION"
        let settings = values.map { name, value -> SQLText in
            let value: SQLText = value.map { "\($0)" } ?? "DEFAULT"
            return "SET \(scope) \(name) = \(value);\n"
        }
        return SQLText(joining: settings, by: "")
    }
}

extension Migrator {
    func sessionSettings(
        _ script: MigrationScript, lockTimeout: Duration, _ connection: PGConnection
    ) -> SessionSettings {
        SessionSettings(
            script: script, options: self.options, serverVersion: connection.serverVersion, lockTimeout: lockTimeout,
            applicationName: self.applicationName)
    }

    func ledgerWrite(_ script: MigrationScript, role: String) throws -> LedgerWrite {
        LedgerWrite(
            script, role: "\(role)", settings: try self.settingsJSON(), applicationName: "\(self.applicationName)")
    }

    /// The values of `--set` as a JSON object.
    func settingsJSON() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(self.options.settings), as: UTF8.self)
    }

    private var applicationName: String { self.configuration.applicationName ?? "migrate" }
}
