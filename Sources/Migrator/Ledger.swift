import PGClient

/// The table `migrate.ledger`: an entry for each file that was applied, made in the same transaction.
struct Ledger {
    /// Everything about an application that the server does not know by itself.
    struct Record {
        let file: MigrationFile
        let breaksBefore: Int64?
        let role: String
        /// A JSON object.
        let settings: String
    }

    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    /// The entries in the order in which they were made; nil when the database has no ledger yet.
    func entries() async throws -> [LedgerEntry]? {
        do {
            return try await self.db.query(
                """
                SELECT version, slug, sha256, finished_at
                FROM migrate.ledger
                WHERE state = 'applied'
                ORDER BY id
                """
            ).map { row in
                try LedgerEntry(
                    version: row.decode("version"), slug: row.decode("slug"), sha256: row.decode("sha256"),
                    finishedAt: row.decode("finished_at"))
            }
        } catch let error as PGError where error.sqlState == "42P01" || error.sqlState == "3F000" {
            return nil
        }
    }

    /// Makes schema and table, owned by the current role; nobody else can write them. To be called under the lock.
    static func create(in transaction: PGTransaction) async throws {
        try await transaction.simpleQuery(
            unsafeSQL: """
                CREATE SCHEMA IF NOT EXISTS migrate;
                CREATE TABLE migrate.ledger (
                    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT ledger_pkey PRIMARY KEY,
                    version bigint CONSTRAINT ledger_version_key UNIQUE,
                    slug text NOT NULL,
                    kind text NOT NULL,
                    sha256 bytea NOT NULL,
                    raw_sha256 bytea NOT NULL,
                    state text NOT NULL,
                    breaks_before bigint,
                    role text NOT NULL,
                    session_role text NOT NULL,
                    application_name text NOT NULL,
                    tool_version text NOT NULL,
                    settings jsonb NOT NULL,
                    xid xid8 NOT NULL,
                    started_at timestamptz NOT NULL,
                    finished_at timestamptz NOT NULL,
                    CONSTRAINT ledger_kind_check CHECK (kind IN ('versioned', 'repeatable')),
                    CONSTRAINT ledger_version_check CHECK ((kind = 'versioned') = (version IS NOT NULL)),
                    CONSTRAINT ledger_state_check CHECK (state IN ('applied', 'running', 'failed', 'baseline')),
                    CONSTRAINT ledger_sha256_check CHECK (length(sha256) = 32 AND length(raw_sha256) = 32)
                );
                REVOKE ALL ON SCHEMA migrate FROM PUBLIC;
                REVOKE ALL ON migrate.ledger FROM PUBLIC;
                -- The owner's default privileges may have given rights to others.
                DO $$
                DECLARE
                    grantee text;
                BEGIN
                    FOR grantee IN
                        SELECT DISTINCT right_of.grantee::regrole::text
                        FROM pg_class, aclexplode(relacl) AS right_of
                        WHERE pg_class.oid = 'migrate.ledger'::regclass AND right_of.grantee <> relowner
                    LOOP
                        EXECUTE 'REVOKE ALL ON migrate.ledger FROM ' || grantee;
                    END LOOP;
                END
                $$;
                COMMENT ON TABLE migrate.ledger IS 'What migrate has applied to this database.';
                """
        )
    }

    func add(_ record: Record) async throws {
        let file = record.file
        try await self.db.execute(
            """
            INSERT INTO migrate.ledger (
                version, slug, kind, sha256, raw_sha256, state, breaks_before, role, session_role, application_name, tool_version,
                settings, xid, started_at, finished_at)
            VALUES (
                \(file.version), \(file.slug), \(file.version == nil ? "repeatable" : "versioned"), \(file.sha256), \(file.rawSHA256),
                'applied', \(record.breaksBefore), \(record.role), session_user,
                pg_catalog.current_setting('application_name'), \(Migrator.version), \(record.settings)::pg_catalog.jsonb,
                pg_catalog.pg_current_xact_id(), pg_catalog.transaction_timestamp(), pg_catalog.clock_timestamp())
            """
        )
    }
}
