import FoundationEssentials
internal import OpenSSLCrypto
import PGClient

extension Migrator {
    /// Finds out what `up` would do: the pending files are run in a scratch database of `scratch`, which the applied files have brought
    /// to where this one is. Changes nothing in the database itself, and takes no lock.
    ///
    /// Throws `MigrationFailure`. A file that fails in the scratch database is a part of the plan, and ends it.
    public func plan(
        _ files: [MigrationFile], ignoring ignored: IgnoreList, scratch: ScratchServer?
    ) async throws -> DeploymentPlan {
        try await self.withConnection { connection in
            let pending = try await self.plan(files, connection).pending
            let server = try await ServerIdentity.read(connection)
            var planned = pending.map(DeploymentPlan.File.init)
            var notes: [String] = []
            if pending.isEmpty {
                // Nothing is to be found out.
            } else if let scratch {
                do {
                    (planned, notes) = try await self.rehearse(pending, planned, files, ignored, scratch, connection)
                } catch let failure as MigrationFailure where failure.kind != .interrupted {
                    notes.append("the files were not tried, so their locks are not known: \(failure.sentence)")
                }
            } else {
                notes.append("the files were not tried, so their locks are not known: there is no scratch database")
            }
            planned = try await connection.withTransaction(readOnly: true) { transaction in
                try await transaction.query("SELECT pg_catalog.set_config('role', 'none', true)")
                return try await LiveRelations(transaction: transaction).complete(planned, pending)
            }
            do {
                let findings = try await Squawk.findings(in: pending, serverVersion: connection.serverVersion)
                for index in planned.indices { planned[index].findings = findings?[planned[index].file] ?? [] }
                if findings == nil, !pending.isEmpty { notes.append("squawk is not installed, so nothing was linted") }
            } catch let failure as MigrationFailure {
                notes.append(failure.message)
            }
            return DeploymentPlan(server: server, options: self.options, files: planned, notes: notes)
        }
    }

    /// Applies what is pending, which has to be what was planned, on the database that it was planned for.
    ///
    /// The migrator has to have the plan's options. Throws `MigrationFailure` of kind `drift` when the plan does not hold any more;
    /// nothing was changed then. Otherwise as `up`.
    @discardableResult
    public func apply(_ plan: DeploymentPlan, _ files: [MigrationFile]) async throws -> [MigrationFile] {
        try await self.up(files, approved: plan)
    }

    private func rehearse(
        _ pending: [MigrationScript], _ planned: [DeploymentPlan.File], _ files: [MigrationFile], _ ignored: IgnoreList,
        _ scratch: ScratchServer, _ connection: PGConnection
    ) async throws -> (files: [DeploymentPlan.File], notes: [String]) {
        let schemas = try await SnapshotTable(connection).newest()?.snapshot.schemas ?? []
        let live = try await CatalogSnapshot.read(schemas, connection)
        return try await self.replaying(files, on: scratch, connection) { shadow in
            var notes: [String] = []
            let difference = CatalogDifference(
                expected: live.objects, actual: try await CatalogSnapshot.read(schemas, shadow.connection).objects,
                ignoring: ignored)
            if !difference.isEmpty {
                notes.append(
                    "the schema is not what the applied files make, so what was found out may not hold: see `migrate verify`"
                )
            }
            let migrator = Migrator(shadow.configuration, options: self.options, logger: self.logger)
            var planned = planned
            for (index, script) in pending.enumerated() {
                if try await migrator.rehearse(script, &planned[index], shadow) { continue }
                let end = planned[index].failure == nil ? "was not" : "failed"
                for later in planned.indices.dropFirst(index + 1) {
                    planned[later].unknown = "not tried, since \(script.file.fileName) \(end)"
                }
                break
            }
            return (planned, notes)
        }
    }

    /// Returns whether the file was run there, without which nothing can be said of later ones.
    private func rehearse(
        _ script: MigrationScript, _ file: inout DeploymentPlan.File, _ shadow: ScratchDatabase
    ) async throws -> Bool {
        if let refusal = shadow.refusal(of: script) {
            file.unknown = "not tried, since \(refusal.sentence)"
            return false
        }
        let connection = shadow.connection
        let observer = try await ShadowObserver(connection)
        let start = ContinuousClock.now
        let run = ScratchRun(migrator: self, database: shadow) { try await observer.observe($0, $1) }
        do {
            try await run.run(script)
        } catch let failure as MigrationFailure where failure.kind != .interrupted {
            file.failure = failure.description
            return false
        }
        file.milliseconds = (ContinuousClock.now - start).milliseconds
        if script.directives.isWithoutTransaction {
            let unknown = try await self.noteConcurrentStatements(of: script, observer, connection)
            if !unknown.isEmpty {
                let lines = unknown.map(String.init).joined(separator: ", ")
                file.unknown = "what the statements of line \(lines) lock, which run outside a transaction"
            }
        }
        file.locks = try await observer.result(connection)
        return true
    }

    /// Statements that run alone end with their locks, so that nothing can be observed. Those that work concurrently are known to take
    /// SHARE UPDATE EXCLUSIVE. Returns the lines of the others.
    private func noteConcurrentStatements(
        of script: MigrationScript, _ observer: ShadowObserver, _ shadow: PGConnection
    ) async throws -> [Int] {
        var others: [Int] = []
        for statement in script.statements {
            let kind = StatementKind(script.text(of: statement))
            if let table = kind.table {
                // An index of that name stands for its table.
                let name: String? = try await shadow.value(
                    """
                    SELECT max(format('%I.%I', nspname, relname)) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                    WHERE pg_class.oid = coalesce(
                        (SELECT indrelid FROM pg_index WHERE indexrelid = to_regclass(\(table.quoted))), to_regclass(\(table.quoted)))
                    """)
                if let name { observer.noteAlone(name, .shareUpdateExclusive, statement) }
            } else if kind != .ordinary, kind != .setting {
                others.append(statement.position.line)
            }
        }
        return others
    }
}

extension DeploymentPlan.File {
    fileprivate init(_ script: MigrationScript) {
        self.init(
            file: script.file.fileName, version: script.file.version, sha256: script.file.hexSHA256,
            isTransaction: !script.directives.isWithoutTransaction)
    }
}

extension MigrationFile {
    var hexSHA256: String { Hex.encode(self.sha256) }
}

extension MigrationScript {
    var waitsForSnapshots: Bool {
        self.statements.contains { StatementKind(self.text(of: $0)).waitsForSnapshots }
    }
}

extension StatementKind {
    /// The table that a statement outside transactions is about, where it is known how it locks it.
    fileprivate var table: QualifiedName? {
        switch self {
        case .buildIndex(_, let table), .detachPartition(_, from: let table): table
        case .rebuildIndexes(of: let relation, isConcurrent: true): relation
        case .ordinary, .setting, .dropIndex, .rebuildIndexes, .alone: nil
        }
    }
}
