/// The tables of the schema `migrate`.
enum LedgerTables {
    /// Makes what is missing and brings what an earlier version made up to date; may be run again. Everything belongs to the current
    /// role, and nobody else can write it, whatever its default privileges give to others.
    static let statements: SQLText = """
        SET LOCAL client_min_messages = warning;
        CREATE SCHEMA IF NOT EXISTS migrate;
        CREATE TABLE IF NOT EXISTS migrate.ledger (
            id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT ledger_pkey PRIMARY KEY,
            version bigint,
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
            finished_at timestamptz,
            CONSTRAINT ledger_kind_check CHECK (kind IN ('versioned', 'repeatable')),
            CONSTRAINT ledger_version_check CHECK ((kind = 'versioned') = (version IS NOT NULL)),
            CONSTRAINT ledger_sha256_check CHECK (length(sha256) = 32 AND length(raw_sha256) = 32)
        );
        ALTER TABLE migrate.ledger
            ADD COLUMN IF NOT EXISTS direction text NOT NULL DEFAULT 'up',
            ADD COLUMN IF NOT EXISTS statements_done integer NOT NULL DEFAULT 0,
            ADD COLUMN IF NOT EXISTS statements_total integer NOT NULL DEFAULT 0,
            ADD COLUMN IF NOT EXISTS error text,
            ALTER COLUMN finished_at DROP NOT NULL,
            DROP CONSTRAINT IF EXISTS ledger_version_key,
            DROP CONSTRAINT IF EXISTS ledger_state_check,
            ADD CONSTRAINT ledger_state_check CHECK (state IN ('applied', 'baseline', 'running', 'failed', 'undone', 'replaced')),
            DROP CONSTRAINT IF EXISTS ledger_direction_check,
            ADD CONSTRAINT ledger_direction_check CHECK (direction IN ('up', 'down'));
        CREATE UNIQUE INDEX IF NOT EXISTS ledger_in_force_key ON migrate.ledger (version, direction)
            WHERE state NOT IN ('undone', 'replaced');
        COMMENT ON TABLE migrate.ledger IS 'What migrate has applied to this database.';
        CREATE TABLE IF NOT EXISTS migrate.journal (
            ledger_id bigint NOT NULL CONSTRAINT journal_ledger_id_fkey REFERENCES migrate.ledger,
            statement integer NOT NULL,
            sha256 bytea NOT NULL,
            started_at timestamptz NOT NULL,
            finished_at timestamptz,
            CONSTRAINT journal_pkey PRIMARY KEY (ledger_id, statement)
        );
        COMMENT ON TABLE migrate.journal IS 'Statement by statement, how far files without transaction have come.';
        \(SnapshotTable.creation)
        REVOKE ALL ON SCHEMA migrate FROM PUBLIC;
        DO $$
        DECLARE
            entry record;
        BEGIN
            FOR entry IN
                SELECT DISTINCT pg_class.oid::regclass AS relation,
                    CASE right_of.grantee WHEN 0 THEN 'PUBLIC' ELSE right_of.grantee::regrole::text END AS grantee
                FROM pg_class, aclexplode(relacl) AS right_of
                WHERE pg_class.relnamespace = 'migrate'::regnamespace AND relkind = 'r' AND right_of.grantee <> relowner
                    AND right_of.privilege_type <> 'SELECT'
            LOOP
                EXECUTE format(
                    'REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON %s FROM %s', entry.relation, entry.grantee);
            END LOOP;
        END
        $$;
        """
}
