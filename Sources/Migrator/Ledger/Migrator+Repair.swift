import PGClient

/// What is to be changed in the ledger because something was done by hand.
public enum Repair: Sendable, Hashable {
    /// A file that was changed after it had been applied is right as it is now.
    case accept(Int64)
    /// A migration whose file is gone, or that stands half-way, is taken off: a file that is there will be applied from its beginning.
    /// One that is undone in part counts as applied again.
    case forget(MigrationFile.Identity)
    /// Somebody has applied the file, or the rest of it, by hand, or has undone the rest of one that is undone in part.
    case done(MigrationFile.Identity)
}

extension Migrator {
    /// Takes every file up to `version` as applied, in a database that has no ledger yet. Returns those files.
    ///
    /// Throws `MigrationFailure`; nothing was changed then.
    @discardableResult
    public func baseline(_ files: [MigrationFile], to version: Int64) async throws -> [MigrationFile] {
        guard files.contains(where: { $0.version == version }) else {
            throw MigrationFailure(.usage, "there is no migration with version \(version)")
        }
        let scripts = try files.filter { ($0.version ?? .max) <= version }.map { try MigrationScript($0) }
        try await self.withConnection { connection in
            try await self.withLock(connection) { _ in
                let applied = AppliedMigrations(try await Ledger(connection).entries() ?? [])
                guard applied.versions.isEmpty, applied.unfinished.isEmpty else {
                    throw MigrationFailure(
                        .failed, "this database has a ledger already",
                        hint: "`migrate status` shows it, and `migrate repair --done` takes a single file as applied.")
                }
                try await self.writeLedger(connection, scripts) { $0.baseline }
            }
        }
        return scripts.map(\.file)
    }

    /// Changes what the ledger says, without running any file. The entries that were there stay in the history.
    ///
    /// Throws `MigrationFailure` when there is nothing of that kind to repair; nothing was changed then.
    public func repair(_ files: [MigrationFile], _ repairs: [Repair]) async throws {
        try await self.withConnection { connection in
            try await self.withLock(connection) { _ in
                for repair in repairs {
                    let applied = AppliedMigrations(try await Ledger(connection).entries() ?? [])
                    try await self.repair(files, repair, applied, connection)
                }
            }
        }
    }

    private func repair(
        _ files: [MigrationFile], _ repair: Repair, _ applied: AppliedMigrations, _ connection: PGConnection
    ) async throws {
        switch repair {
        case .accept(let version):
            guard let file = files.first(where: { $0.version == version }), let entry = applied.versions[version],
                entry.sha256 != file.sha256
            else { throw MigrationFailure(.usage, "migration \(version) was not changed after it had been applied") }
            try await self.writeLedger(connection, [MigrationScript(file)]) { write in
                LedgerWrite.replace(entry) + (entry.state == .baseline ? write.baseline : write.ended(.up))
            }
        case .forget(let identity):
            let isGone = !files.contains { $0.identity == identity }
            guard let entry = applied.unfinished[identity] ?? (isGone ? applied[identity] : nil) else {
                throw MigrationFailure(
                    .usage, "migration \(identity) is neither half-way nor applied without a file",
                    hint: "`migrate down` undoes what was applied.")
            }
            try await self.writeLedger(connection, LedgerWrite.replace(entry))
        case .done(let identity):
            let unfinished = applied.unfinished[identity]
            if let unfinished, unfinished.direction == .down {
                let write = JournalWrite(entry: "\(unfinished.id)")
                return try await self.writeLedger(connection, write.ended(.down, unfinished.version))
            }
            guard let file = files.first(where: { $0.identity == identity }), !applied.covers(file) else {
                throw MigrationFailure(.usage, "there is no migration \(identity) that is still to be applied")
            }
            try await self.writeLedger(connection, [MigrationScript(file)]) { write in
                (unfinished.map(LedgerWrite.replace) ?? "") + write.baseline
            }
        }
    }

    private func writeLedger(
        _ connection: PGConnection, _ scripts: [MigrationScript], _ write: (LedgerWrite) -> SQLText
    ) async throws {
        let role: String = try await connection.value("SELECT current_user::text")
        let texts = try scripts.map { script in
            write(try self.ledgerWrite(script, role: script.directives.role ?? self.options.role ?? role))
        }
        try await self.writeLedger(connection, SQLText(joining: texts, by: ""))
    }

    private func writeLedger(_ connection: PGConnection, _ text: SQLText) async throws {
        let ledger = SessionSettings.ledger(role: self.options.role, isLocal: true)
        try await connection.withTransaction { try await $0.simpleQuery(unsafeSQL: (ledger + text).text) }
    }
}
