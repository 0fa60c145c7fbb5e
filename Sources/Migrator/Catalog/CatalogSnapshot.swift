import FoundationEssentials
internal import OpenSSLCrypto
import PGClient

/// What is in some schemas of a database.
struct CatalogSnapshot: Sendable, Hashable {
    /// Those that were looked at, whether they are there or not.
    let schemas: [String]
    /// By kind, then by name.
    let objects: [CatalogObject]

    /// Reads the catalog as it is now, in one transaction that changes nothing.
    static func read(_ schemas: [String], _ connection: PGConnection) async throws -> Self {
        try await connection.withTransaction(isolation: .repeatableRead, readOnly: true) {
            try await Self.read(schemas, $0)
        }
    }

    /// Reads the catalog as a transaction sees it, whose settings are others afterwards.
    static func read(_ schemas: [String], _ transaction: PGTransaction) async throws -> Self {
        // Names come with their schemas, and texts as the settings of no session or role make them.
        try await transaction.simpleQuery(
            unsafeSQL: """
                SET LOCAL search_path = ''; SET LOCAL quote_all_identifiers = off; SET LOCAL DateStyle = 'ISO, YMD';
                SET LOCAL IntervalStyle = postgres; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = hex;
                SET LOCAL timezone = UTC
                """)
        let rows = try await transaction.query(PGQuery(unsafeSQL: CatalogQuery.text, binds: [schemas.pgValue]))
        return CatalogSnapshot(schemas: schemas, objects: try rows.map(CatalogObject.init))
    }

    /// The schemas that hold anything of a role that has applied a file.
    static func schemasOfMigrations(_ db: any PGQuerying) async throws -> [String] {
        try await db.query(
            """
            WITH role AS (
                SELECT oid FROM pg_roles WHERE rolname IN (SELECT role FROM migrate.ledger UNION SELECT current_user)
            )
            SELECT nspname::text FROM pg_namespace
            WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'migrate')
                AND (nspowner IN (TABLE role)
                    OR EXISTS (SELECT FROM pg_class WHERE relnamespace = pg_namespace.oid AND relowner IN (TABLE role))
                    OR EXISTS (SELECT FROM pg_proc WHERE pronamespace = pg_namespace.oid AND proowner IN (TABLE role))
                    OR EXISTS (SELECT FROM pg_type WHERE typnamespace = pg_namespace.oid AND typowner IN (TABLE role)))
            ORDER BY nspname
            """
        ).map { try $0.decode("nspname") }
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self.objects), as: UTF8.self)
    }

    /// The same for the same objects, whatever the database.
    func sha256() throws -> [UInt8] { SHA256.hash(try self.json()) }
}

extension CatalogObject {
    init(_ row: PGRow) throws {
        let properties: String = try row.decode("properties")
        self.init(
            kind: try row.decode("kind"), name: try row.decode("name"), parent: try row.decode("parent"),
            properties: try JSONDecoder().decode([String: String].self, from: Data(properties.utf8)))
    }
}
