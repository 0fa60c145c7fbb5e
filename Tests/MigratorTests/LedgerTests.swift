import PGClient
import Testing

@testable import Migrator

@Suite(.timeLimit(.minutes(10)))
struct LedgerTests {
    /// The table as it was before there were files without transaction.
    private static let olderTable = """
        CREATE SCHEMA migrate;
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
            CONSTRAINT ledger_state_check CHECK (state IN ('applied', 'running', 'failed', 'baseline'))
        );
        """

    @Test func aLedgerOfAnEarlierVersionIsReadAsItIsAndBroughtUpToDate() async throws {
        try await Scratch.with { scratch in
            let first = try migration("1_a.sql", "CREATE TABLE a ()")
            try await scratch.connection.simpleQuery(unsafeSQL: Self.olderTable)
            try await scratch.connection.query(
                """
                INSERT INTO migrate.ledger (
                    version, slug, kind, sha256, raw_sha256, state, role, session_role, application_name, tool_version, settings,
                    xid, started_at, finished_at)
                VALUES (
                    1, 'a', 'versioned', \(first.sha256), \(first.rawSHA256), 'applied', 'r', 'r', 'migrate', '0', '{}',
                    pg_current_xact_id(), now(), now())
                """)
            #expect(try await scratch.migrator().status([first]).lines.map(\.state.isApplied) == [true])
            let second = try migration("2_b.sql", "CREATE TABLE b ()")
            #expect(try await scratch.up([first, second]) == ["2_b.sql"])
            #expect(try await scratch.values("SELECT direction FROM migrate.ledger ORDER BY id") == ["up", "up"])
            #expect(try await scratch.up([first, second]) == [])
        }
    }
}

extension MigrationStatus.State {
    fileprivate var isApplied: Bool { if case .applied = self { true } else { false } }
}
