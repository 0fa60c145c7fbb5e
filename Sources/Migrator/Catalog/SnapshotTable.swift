import FoundationEssentials
import PGClient

/// The table `migrate.snapshot`: what the schemas looked like after each run.
struct SnapshotTable {
    /// A row of it.
    struct Entry: Sendable {
        let takenAt: Date
        let snapshot: CatalogSnapshot
        /// Whether nothing was written to the ledger since.
        let isCurrent: Bool
    }

    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    static let creation: SQLText = """
        CREATE TABLE IF NOT EXISTS migrate.snapshot (
            id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT snapshot_pkey PRIMARY KEY,
            ledger_id bigint,
            taken_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
            schemas text[] NOT NULL,
            sha256 bytea NOT NULL,
            objects jsonb NOT NULL,
            CONSTRAINT snapshot_sha256_check CHECK (length(sha256) = 32)
        );
        COMMENT ON TABLE migrate.snapshot IS 'What the schemas looked like after each run of migrate.';

        """

    /// nil when there is none yet.
    func newest() async throws -> Entry? {
        do {
            return try await self.db.query(
                """
                SELECT taken_at, schemas, objects::text AS objects,
                    ledger_id IS NOT DISTINCT FROM (SELECT max(id) FROM migrate.ledger) AS is_current
                FROM migrate.snapshot
                ORDER BY id DESC
                LIMIT 1
                """
            ).first.map { row in
                let objects: String = try row.decode("objects")
                return Entry(
                    takenAt: try row.decode("taken_at"),
                    snapshot: CatalogSnapshot(
                        schemas: try row.decode("schemas"),
                        objects: try JSONDecoder().decode([CatalogObject].self, from: Data(objects.utf8))),
                    isCurrent: try row.decode("is_current"))
            }
        } catch let error as PGError where error.sqlState == "42P01" || error.sqlState == "3F000" {
            return nil
        }
    }

    /// Whether the ledger has entries that the newest snapshot does not know of; false when there is no table to put one into.
    func isBehind() async throws -> Bool {
        do {
            return try await self.db.value(
                """
                SELECT (SELECT max(id) FROM migrate.ledger)
                    IS DISTINCT FROM (SELECT ledger_id FROM migrate.snapshot ORDER BY id DESC LIMIT 1)
                """)
        } catch let error as PGError where error.sqlState == "42P01" || error.sqlState == "3F000" {
            return false
        }
    }

    func add(_ snapshot: CatalogSnapshot) async throws {
        try await self.db.execute(
            """
            INSERT INTO migrate.snapshot (ledger_id, schemas, sha256, objects)
            VALUES ((SELECT max(id) FROM migrate.ledger), \(snapshot.schemas), \(try snapshot.sha256()),
                \(try snapshot.json())::pg_catalog.jsonb)
            """)
    }
}
