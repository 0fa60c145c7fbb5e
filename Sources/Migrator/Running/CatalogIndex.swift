import PGClient

/// An index as the catalog has it.
struct CatalogIndex {
    /// With its schema, quoted where needed.
    let name: String
    let isValid: Bool
    /// The session that is building it now.
    let builder: Int32?

    /// The index `name` of a table; nil when there is none.
    static func find(_ name: String, on table: StatementKind.QualifiedName, _ db: any PGQuerying) async throws -> Self?
    {
        try await self.query("index.relname = \(name) AND indrelid = to_regclass(\(table.quoted))", db).first
    }

    /// What `REINDEX CONCURRENTLY` of a table, or of one index of it, left behind when it was cut short.
    static func leftovers(of relation: StatementKind.QualifiedName, _ db: any PGQuerying) async throws -> [Self] {
        try await self.query(
            """
            index.relname ~ '_cc(new|old)[0-9]*$' AND indrelid = (
                SELECT coalesce(self.indrelid, relation.oid)
                FROM pg_class AS relation LEFT JOIN pg_index AS self ON self.indexrelid = relation.oid
                WHERE relation.oid = to_regclass(\(relation.quoted)))
            """, db
        ).filter { !$0.isValid }
    }

    /// Every index that is not valid, of all schemas.
    static func invalid(_ db: any PGQuerying) async throws -> [Self] {
        try await self.query("NOT indisvalid", db)
    }

    private static func query(_ condition: PGQuery, _ db: any PGQuerying) async throws -> [Self] {
        try await db.query(
            """
            SELECT format('%I.%I', nspname, index.relname) AS name, indisvalid, progress.pid
            FROM pg_index
            JOIN pg_class AS index ON index.oid = indexrelid
            JOIN pg_namespace ON pg_namespace.oid = index.relnamespace
            LEFT JOIN pg_stat_progress_create_index AS progress
                ON progress.index_relid = indexrelid AND progress.datname = current_database()
            WHERE \(condition)
            ORDER BY name
            """
        ).map { row in
            try CatalogIndex(
                name: row.decode("name"), isValid: row.decode("indisvalid"), builder: row.decode("pid"))
        }
    }
}
