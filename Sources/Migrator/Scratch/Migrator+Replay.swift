import FoundationEssentials
import PGClient

extension Migrator {
    /// Runs the files that the ledger has in force in an empty database, as the roles that applied them and with their values of
    /// `--set`, and then `body` in the same database.
    ///
    /// Throws `MigrationFailure` when the files are not those of the ledger, or one of them may not be run there or fails.
    func replaying<R: Sendable>(
        _ files: [MigrationFile], on server: ScratchServer, _ connection: PGConnection,
        _ body: (ScratchDatabase) async throws -> R
    ) async throws -> R {
        let applied = AppliedMigrations(try await Ledger(connection).entries() ?? [])
        var scripts: [(script: MigrationScript, entry: LedgerEntry)] = []
        for file in files {
            guard let entry = applied[file] else { continue }
            guard entry.sha256 == file.sha256 else {
                throw MigrationFailure(.failed, "\(file.fileName) is not as it was applied")
            }
            scripts.append((try MigrationScript(file), entry))
        }
        scripts.sort { $0.entry.id < $1.entry.id }
        let settings = try await Self.settings(of: scripts.map(\.entry.id), connection)
        let owner: String? = try await connection.value(
            "SELECT max(pg_get_userbyid(nspowner)) FROM pg_namespace WHERE nspname = 'migrate'")
        let roles = scripts.map(\.entry.role) + [self.options.role].compactMap(\.self)
        return try await server.withDatabase(like: connection, migrating: roles, logger: self.logger) { database in
            // Files may give others the right to read the ledger.
            var options = MigratorOptions()
            options.role = owner ?? self.options.role
            try await Migrator(database.configuration, options: options, logger: self.logger)
                .prepareLedger(database.connection)
            for (script, entry) in scripts {
                var options = MigratorOptions()
                options.role = entry.role
                options.settings = settings[entry.id] ?? [:]
                let migrator = Migrator(database.configuration, options: options, logger: self.logger)
                try await ScratchRun(migrator: migrator, database: database).run(script)
            }
            return try await body(database)
        }
    }

    /// The values of `--set` of some entries.
    private static func settings(
        of entries: [Int64], _ connection: PGConnection
    ) async throws -> [Int64: [String: String]] {
        guard !entries.isEmpty else { return [:] }
        let rows = try await connection.query(
            "SELECT id, settings::text AS settings FROM migrate.ledger WHERE id = ANY (\(entries))")
        return try rows.reduce(into: [:]) { values, row in
            let text: String = try row.decode("settings")
            values[try row.decode("id")] = try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
        }
    }
}
