import PGClient
import Synchronization

/// Looks in a shadow of the database at the locks that the statements of one file take.
final class ShadowObserver: Sendable {
    /// A relation as it was when the file began.
    private struct Relation {
        let name: String
        let fileNode: Int64
    }

    private let before: [Int64: Relation]
    /// The strongest of each relation, with the line of the statement that took it.
    private let locks = Mutex<[Int64: (mode: LockMode, line: Int)]>([:])

    init(_ connection: PGConnection) async throws {
        self.before = try await Self.relations(connection)
    }

    /// To be called after each statement, with its transaction still open.
    func observe(_ statement: SQLLexer.Statement, _ transaction: PGTransaction) async throws {
        let rows = try await transaction.query(
            """
            SELECT relation::bigint AS relation, mode FROM pg_catalog.pg_locks
            WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation' AND granted AND relation >= 16384
            """)
        for row in rows {
            let relation: Int64 = try row.decode("relation")
            guard self.before[relation] != nil, let mode = LockMode(catalogName: try row.decode("mode")) else {
                continue
            }
            self.note(relation, mode, statement)
        }
    }

    /// A statement that was run outside a transaction, of which is known what it locks.
    func noteAlone(_ table: String, _ mode: LockMode, _ statement: SQLLexer.Statement) {
        guard let relation = self.before.first(where: { $0.value.name == table })?.key else { return }
        self.note(relation, mode, statement)
    }

    private func note(_ relation: Int64, _ mode: LockMode, _ statement: SQLLexer.Statement) {
        self.locks.withLock { locks in
            if let known = locks[relation], known.mode >= mode { return }
            locks[relation] = (mode, statement.position.line)
        }
    }

    /// What the file has locked of what was there before it; to be called after the file.
    func result(_ connection: PGConnection) async throws -> [DeploymentPlan.Lock] {
        let after = try await Self.relations(connection)
        let locks = self.locks.withLock(\.self)
        return self.before.compactMap { oid, relation in
            guard let lock = locks[oid] else { return nil }
            let isRewritten = after[oid].map { $0.fileNode != relation.fileNode } ?? false
            return DeploymentPlan.Lock(
                relation: relation.name, mode: lock.mode, line: lock.line, isRewritten: isRewritten)
        }.sorted { ($1.mode, $0.relation) < ($0.mode, $1.relation) }
    }

    /// Tables, views and sequences, but for those of the system and of the ledger.
    private static func relations(_ connection: PGConnection) async throws -> [Int64: Relation] {
        try await connection.query(
            """
            SELECT pg_class.oid::bigint AS oid, pg_catalog.format('%I.%I', nspname, relname) AS name, relfilenode::bigint
            FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
            WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'migrate')
            """
        ).reduce(into: [:]) { relations, row in
            relations[try row.decode("oid")] = Relation(
                name: try row.decode("name"), fileNode: try row.decode("relfilenode"))
        }
    }
}
