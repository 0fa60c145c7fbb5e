import PGClient

/// What the catalog says about a statement that runs outside a transaction, before and after it.
struct StatementPreparation {
    let kind: StatementKind
    let connection: PGConnection
    let report: @Sendable (MigrationEvent) -> Void

    /// Clears away what an earlier attempt has left half-done, and returns what is to be sent; nil when nothing is left to do.
    ///
    /// It `isInDoubt` when an earlier run has begun this very statement, and nobody knows how that ended.
    func text(_ text: String, isInDoubt: Bool) async throws -> String? {
        switch self.kind {
        case .buildIndex(let name?, let table):
            guard let index = try await CatalogIndex.find(name, on: table, self.connection) else { return text }
            if index.isValid { return isInDoubt ? nil : text }
            try await self.drop(index)
            return text
        case .dropIndex(let name) where isInDoubt:
            return try await self.exists(name) ? text : nil
        case .rebuildIndexes(let relation?, isConcurrent: true):
            for index in try await CatalogIndex.leftovers(of: relation, self.connection) { try await self.drop(index) }
            return text
        case .detachPartition(let partition, let parent):
            switch try await self.isDetachPending(partition, from: parent) {
            case true?: return "ALTER TABLE \(parent.quoted) DETACH PARTITION \(partition.quoted) FINALIZE"
            case false?: return text
            case nil: return isInDoubt ? nil : text
            }
        default:
            return text
        }
    }

    /// Throws when the statement ended well and yet did not leave what it was to make.
    func check(_ statement: SQLLexer.Statement, _ file: MigrationFile) async throws {
        guard case .buildIndex(let name?, let table) = self.kind,
            let index = try await CatalogIndex.find(name, on: table, self.connection), !index.isValid
        else { return }
        throw MigrationFailure(
            .failed, "the index \(index.name) is there, but not valid", place: .init(file, statement.position))
    }

    private func drop(_ index: CatalogIndex) async throws {
        if let builder = index.builder {
            throw MigrationFailure(
                .lockWait, "session \(builder) is building the index \(index.name) now",
                hint: "Wait for it to end, or end it: SELECT pg_cancel_backend(\(builder));")
        }
        self.report(.droppingInvalidIndex(index.name))
        try await self.connection.simpleQuery(unsafeSQL: "DROP INDEX CONCURRENTLY IF EXISTS " + index.name)
    }

    private func exists(_ name: StatementKind.QualifiedName) async throws -> Bool {
        try await self.connection.value("SELECT to_regclass(\(name.quoted)) IS NOT NULL")
    }

    /// nil when it is no partition of that table.
    private func isDetachPending(
        _ partition: StatementKind.QualifiedName, from parent: StatementKind.QualifiedName
    ) async throws -> Bool? {
        try await self.connection.query(
            """
            SELECT inhdetachpending FROM pg_inherits
            WHERE inhrelid = to_regclass(\(partition.quoted)) AND inhparent = to_regclass(\(parent.quoted))
            """
        ).first?.decode("inhdetachpending")
    }
}
