import PGClient

/// How the live catalog compares with what it should be.
public struct Drift: Sendable {
    /// Those that were compared.
    public let schemas: [String]
    /// Against the snapshot that the last run has left; nil when there is none, or one that an interrupted run left behind.
    public let sinceLastRun: CatalogDifference?
    /// Against the applied files, run again in a scratch database; nil when that was not possible.
    public let fromReplay: CatalogDifference?
    /// Why something was not compared.
    public let omissions: [String]

    public var isEmpty: Bool { self.sinceLastRun?.isEmpty ?? true && self.fromReplay?.isEmpty ?? true }
}

extension Migrator {
    /// Keeps what the schemas look like. Called under the lock, after the last file of a run and after whatever else changed what the
    /// ledger says. When that is as it was `before`, what differs from the newest snapshot was not made by migrations, and stays to be
    /// found.
    func recordCatalog(_ connection: PGConnection, unlessLedgerIs before: [LedgerEntry]?) async throws {
        try await connection.simpleQuery(unsafeSQL: SessionSettings.forgetting.text)
        try await connection.withTransaction(isolation: .repeatableRead) { transaction in
            // The session is the login's now, who may have no right to the ledger.
            try await transaction.simpleQuery(
                unsafeSQL: SessionSettings.ledger(role: self.options.role, isLocal: true).text)
            let newest = try await SnapshotTable(transaction).newest()
            if let newest, newest.isCurrent, try await Ledger(transaction).entries() == before { return }
            let schemas =
                self.options.schemas.isEmpty
                ? Set(newest?.snapshot.schemas ?? []).union(try await CatalogSnapshot.schemasOfMigrations(transaction))
                : Set(self.options.schemas)
            let snapshot = try await CatalogSnapshot.read(schemas.sorted(), transaction)
            if let newest, newest.isCurrent, newest.snapshot == snapshot { return }
            try await SnapshotTable(transaction).add(snapshot)
        }
    }

    /// Compares the live catalog with the newest snapshot, and with the applied files, run again in a scratch database of `scratch`
    /// when it may be made there. Changes nothing in the database itself, and takes no lock of a run.
    public func drift(
        _ files: [MigrationFile], ignoring ignored: IgnoreList, scratch: ScratchServer?
    ) async throws -> Drift {
        try await self.withConnection { connection in
            guard let ledger = try await Ledger(connection).entries(), !ledger.isEmpty else {
                return Drift(
                    schemas: [], sinceLastRun: nil, fromReplay: nil, omissions: ["nothing was applied yet"])
            }
            let entry = try await SnapshotTable(connection).newest()
            var omissions: [String] = []
            if entry == nil {
                omissions.append(
                    "there is no snapshot of the catalog yet: the next `migrate up` that applies a file takes one")
            } else if entry?.isCurrent == false {
                omissions.append(
                    "the last run ended before it could take a snapshot of the catalog: `migrate up` takes it")
            }
            let schemas: [String]
            if let entry {
                schemas = entry.snapshot.schemas
            } else {
                schemas = try await CatalogSnapshot.schemasOfMigrations(connection)
            }
            let live = try await CatalogSnapshot.read(schemas, connection)
            var fromReplay: CatalogDifference?
            if let scratch {
                do {
                    let replayed = try await self.replaying(files, on: scratch, connection) {
                        try await CatalogSnapshot.read(schemas, $0.connection)
                    }
                    fromReplay = CatalogDifference(expected: replayed.objects, actual: live.objects, ignoring: ignored)
                } catch let failure as MigrationFailure where failure.kind != .interrupted {
                    omissions.append("the files were not run again in a scratch database: \(failure.sentence)")
                }
            }
            return Drift(
                schemas: schemas,
                sinceLastRun: entry.flatMap { entry in
                    guard entry.isCurrent else { return nil }
                    return CatalogDifference(
                        expected: entry.snapshot.objects, actual: live.objects, ignoring: ignored)
                },
                fromReplay: fromReplay, omissions: omissions)
        }
    }
}
