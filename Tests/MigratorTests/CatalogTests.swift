import PGClient
import PGTesting
import Synchronization
import Testing

@testable import Migrator

@Suite(.timeLimit(.minutes(10)))
struct CatalogTests {
    /// Something of every kind that is compared.
    private static let everything = """
        CREATE SCHEMA app;
        CREATE TYPE app.mood AS ENUM ('good', 'bad');
        CREATE TYPE app.pair AS (x int, y text);
        CREATE DOMAIN app.name AS text CONSTRAINT name_check CHECK (length(VALUE) > 0);
        CREATE TABLE app.parents (id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT parents_pkey PRIMARY KEY, mood app.mood);
        CREATE TABLE app.children (
            id bigint CONSTRAINT children_pkey PRIMARY KEY,
            parent_id bigint NOT NULL CONSTRAINT children_parent_id_fkey REFERENCES app.parents,
            name app.name DEFAULT 'x',
            size int GENERATED ALWAYS AS (length(name)) STORED
        );
        CREATE INDEX children_name_idx ON app.children (lower(name::text));
        CREATE STATISTICS app.children_stat ON id, parent_id FROM app.children;
        CREATE TABLE app.events (at date NOT NULL, "What" text) PARTITION BY RANGE (at);
        CREATE TABLE app.events_2024 PARTITION OF app.events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE SEQUENCE app.numbers INCREMENT BY 5;
        CREATE VIEW app.happy AS SELECT * FROM app.parents WHERE mood = 'good';
        CREATE MATERIALIZED VIEW app.counts AS SELECT count(*) AS n FROM app.children;
        CREATE FUNCTION app.f(a int) RETURNS int LANGUAGE sql AS 'SELECT a + 1';
        CREATE PROCEDURE app.p() LANGUAGE sql AS 'SELECT 1';
        CREATE AGGREGATE app.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
        CREATE FUNCTION app.t() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE TRIGGER watch BEFORE INSERT ON app.children FOR EACH ROW EXECUTE FUNCTION app.t();
        CREATE RULE quiet AS ON DELETE TO app.parents DO INSTEAD NOTHING;
        ALTER TABLE app.children ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON app.children USING (parent_id = 1);
        GRANT USAGE ON SCHEMA migrate TO PUBLIC;
        GRANT SELECT ON migrate.ledger TO PUBLIC;
        """

    private func withEverything(_ body: (Scratch, [MigrationFile]) async throws -> Void) async throws {
        try await Scratch.with { scratch in
            let files = [
                try migration("1_all.sql", Self.everything), try migration("2_more.sql", "CREATE TABLE app.more ()"),
            ]
            var options = MigratorOptions()
            options.role = scratch.owner
            try await scratch.up(files, options: options)
            try await body(scratch, files)
        }
    }

    private func drift(
        _ scratch: Scratch, _ files: [MigrationFile], ignoring patterns: [String] = [], replaying: Bool = false
    ) async throws -> Drift {
        try await scratch.migrator().drift(
            files, ignoring: IgnoreList(patterns),
            scratch: replaying ? ScratchServer(scratch.database.configuration) : nil)
    }

    @Test func nothingHasDriftedAfterARun() async throws {
        try await self.withEverything { scratch, files in
            let drift = try await self.drift(scratch, files, replaying: true)
            #expect(drift.schemas == ["app"])
            #expect(drift.sinceLastRun?.isEmpty == true)
            #expect(drift.fromReplay?.description == "")
            #expect(drift.omissions == [])
        }
    }

    private struct Change {
        let sql: String
        let finding: String
    }

    private static let changes = [
        Change(sql: "ALTER TABLE app.children ADD COLUMN note text", finding: "unexpected  column app.children.note"),
        Change(
            sql: "ALTER TABLE app.events ALTER \"What\" TYPE varchar(9)",
            finding: "changed     column app.events.\"What\": type"),
        Change(
            sql: "ALTER TABLE app.children ALTER name DROP DEFAULT",
            finding: "changed     column app.children.name: default"),
        Change(
            sql: "ALTER TABLE app.children ALTER parent_id DROP NOT NULL",
            finding: "changed     column app.children.parent_id: null"),
        Change(
            sql: "ALTER TABLE app.children DROP CONSTRAINT children_parent_id_fkey",
            finding: "missing     constraint app.children.children_parent_id_fkey"),
        Change(sql: "DROP INDEX app.children_name_idx", finding: "missing     index app.children_name_idx"),
        Change(
            sql: "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.children_name_idx'::regclass",
            finding: "changed     index app.children_name_idx: valid"),
        Change(sql: "CREATE INDEX \"Odd\" ON app.parents (mood)", finding: "unexpected  index app.\"Odd\""),
        Change(
            sql: "CREATE OR REPLACE FUNCTION app.f(a int) RETURNS int LANGUAGE sql AS 'SELECT a + 2'",
            finding: "changed     function app.f(a integer): definition"),
        Change(sql: "DROP AGGREGATE app.total(int)", finding: "missing     aggregate app.total(integer)"),
        Change(sql: "DROP PROCEDURE app.p()", finding: "missing     procedure app.p()"),
        Change(
            sql: "CREATE OR REPLACE VIEW app.happy AS SELECT * FROM app.parents WHERE mood = 'bad'",
            finding: "changed     view app.happy: definition"),
        Change(
            sql: "ALTER TABLE app.children DISABLE TRIGGER watch",
            finding: "changed     trigger app.children.watch: enabled"),
        Change(sql: "DROP RULE quiet ON app.parents", finding: "missing     rule app.parents.quiet"),
        Change(
            sql: "ALTER POLICY own ON app.children USING (true)", finding: "changed     policy app.children.own: using"),
        Change(
            sql: "ALTER TABLE app.children DISABLE ROW LEVEL SECURITY",
            finding: "changed     table app.children: row security"),
        Change(sql: "ALTER TYPE app.mood ADD VALUE 'so so'", finding: "changed     type app.mood: labels"),
        Change(sql: "ALTER TYPE app.pair ADD ATTRIBUTE z int", finding: "changed     type app.pair: attributes"),
        Change(
            sql: "ALTER DOMAIN app.name DROP CONSTRAINT name_check",
            finding: "missing     constraint app.name.name_check"),
        Change(
            sql: "ALTER SEQUENCE app.numbers INCREMENT BY 6", finding: "changed     sequence app.numbers: increment"),
        Change(sql: "ALTER TABLE app.more OWNER TO CURRENT_USER", finding: "changed     table app.more: owner"),
        Change(sql: "GRANT UPDATE ON app.more TO PUBLIC", finding: "changed     table app.more: grants"),
        Change(sql: "GRANT SELECT (id) ON app.parents TO PUBLIC", finding: "changed     column app.parents.id: grants"),
        Change(sql: "GRANT USAGE ON SCHEMA app TO PUBLIC", finding: "changed     schema app: grants"),
        Change(
            sql: "REVOKE EXECUTE ON FUNCTION app.f(int) FROM PUBLIC",
            finding: "changed     function app.f(a integer): grants"),
        Change(sql: "DROP STATISTICS app.children_stat", finding: "missing     statistics app.children_stat"),
        Change(
            sql: "ALTER TABLE app.events DETACH PARTITION app.events_2024",
            finding: "missing     partition app.events_2024"),
        Change(sql: "ALTER TABLE app.more SET (fillfactor = 50)", finding: "changed     table app.more: options"),
        Change(sql: "ALTER TABLE app.more SET UNLOGGED", finding: "changed     table app.more: persistence"),
        Change(
            sql: "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC",
            finding: "unexpected  default privileges tables of"),
        Change(sql: "DROP TABLE app.more", finding: "missing     table app.more"),
    ]

    @Test func whatWasChangedByHandIsDrift() async throws {
        try await self.withEverything { scratch, files in
            let expected = try #require(try await SnapshotTable(scratch.connection).newest()).snapshot
            for change in Self.changes {
                let difference = Mutex<CatalogDifference?>(nil)
                await #expect(throws: CancellationError.self) {
                    try await scratch.connection.withTransaction { transaction in
                        try await transaction.simpleQuery(unsafeSQL: change.sql)
                        let actual = try await CatalogSnapshot.read(expected.schemas, transaction)
                        let found = CatalogDifference(expected: expected.objects, actual: actual.objects)
                        difference.withLock { $0 = found }
                        throw CancellationError()  // Rolls back.
                    }
                }
                let findings = difference.withLock(\.self)?.description.split(separator: "\n") ?? []
                #expect(findings.contains { $0.hasPrefix(change.finding) }, "\(change.sql): \(findings)")
            }
        }
    }

    @Test func aReplayFindsWhatWasThereBeforeTheSnapshot() async throws {
        try await self.withEverything { scratch, files in
            try await scratch.connection.simpleQuery(unsafeSQL: "CREATE TABLE app.by_hand (a int)")
            let third = try migration("3_c.sql", "CREATE TABLE app.third ()")
            try await scratch.up(files + [third])
            let drift = try await self.drift(scratch, files + [third], replaying: true)
            #expect(drift.sinceLastRun?.isEmpty == true)
            #expect(drift.fromReplay?.description == "unexpected  table app.by_hand")
        }
    }

    @Test func aReplayMayDoWhatTheOwnerOfTheDatabaseMay() async throws {
        try await Scratch.with { scratch in
            try await scratch.connection.simpleQuery(
                unsafeSQL: "ALTER DATABASE \"\(scratch.database.name)\" OWNER TO \"\(scratch.owner)\"")
            var options = MigratorOptions()
            options.role = scratch.owner
            let files = [try migration("1_a.sql", "CREATE SCHEMA app; CREATE TABLE app.t ()")]
            try await Migrator(scratch.database.configuration, options: options, logger: Scratch.logger).up(files)
            let drift = try await self.drift(scratch, files, replaying: true)
            #expect(drift.fromReplay?.description == "")
            #expect(drift.omissions == [])
            // The role could not be dropped.
            try await scratch.connection.simpleQuery(
                unsafeSQL: "ALTER DATABASE \"\(scratch.database.name)\" OWNER TO CURRENT_USER")
        }
    }

    @Test func aReplayDoesNotReachBeyondItsDatabase() async throws {
        try await Scratch.with { scratch in
            let role = scratch.app.quotedAsName
            let files = [
                try migration("1_a.sql", "CREATE TABLE t ();\nALTER ROLE \(role) SET statement_timeout = '30s'")
            ]
            try await scratch.up(files)
            try await scratch.connection.simpleQuery(unsafeSQL: "ALTER ROLE \(role) SET statement_timeout = '5min'")
            let drift = try await self.drift(scratch, files, replaying: true)
            #expect(drift.fromReplay == nil)
            #expect(drift.omissions.contains { $0.contains("line 2 of 1_a.sql acts on the whole cluster") })
            #expect(
                try await scratch.values("SELECT unnest(rolconfig) FROM pg_roles WHERE rolname = '\(scratch.app)'")
                    == ["statement_timeout=5min"])
        }
    }

    @Test func aReplayForgetsWhatAFileLeftInTheSession() async throws {
        try await Scratch.with { scratch in
            let files = [
                try migration("1_a.sql", "CREATE TABLE orders ()"),
                try migration(
                    "2_b.sql", "CREATE TEMP TABLE orders (); SET default_transaction_read_only = on"),
                try migration("3_c.sql", "ALTER TABLE orders ADD b int"),
            ]
            try await scratch.up(files)
            let drift = try await self.drift(scratch, files, replaying: true)
            #expect(drift.fromReplay?.isEmpty == true)
            #expect(drift.omissions == [])
        }
    }

    @Test func aScratchDatabaseIsGoneAfterwards() async throws {
        try await self.withEverything { scratch, _ in
            let server = ScratchServer(scratch.database.configuration)
            for fails in [false, true] {
                let seen = Mutex("")
                do {
                    try await server.withDatabase(
                        like: scratch.connection, migrating: [], logger: Scratch.logger
                    ) { database in
                        let name: String = try await database.connection.value("SELECT current_database()::text")
                        seen.withLock { $0 = name }
                        if fails { throw CancellationError() }
                    }
                    #expect(!fails)
                } catch is CancellationError {
                    #expect(fails)
                }
                let name = seen.withLock(\.self)
                #expect(name.hasPrefix("migrate_scratch_"))
                #expect(
                    try await scratch.values("SELECT count(*) FROM pg_database WHERE datname = '\(name)'") == ["0"])
            }
        }
    }

    @Test func whatTheListNamesIsNoDrift() async throws {
        try await self.withEverything { scratch, files in
            try await scratch.connection.simpleQuery(
                unsafeSQL: """
                    CREATE INDEX emergency_1 ON app.children (size);
                    CREATE TABLE app.events_2025 PARTITION OF app.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
                    CREATE TABLE app.tmp_load (a int CHECK (a > 0));
                    """)
            let patterns = ["index:app.emergency_*", "partition:*", "app.tmp_*"]
            #expect(try await self.drift(scratch, files, ignoring: patterns).isEmpty)
            #expect(try await !self.drift(scratch, files, ignoring: ["table:app.emergency_*"]).isEmpty)
        }
    }

    @Test func otherSchemasAreNotLookedAt() async throws {
        try await self.withEverything { scratch, files in
            try await scratch.connection.simpleQuery(
                unsafeSQL: "CREATE SCHEMA other AUTHORIZATION \"\(scratch.app)\"; CREATE TABLE other.x ()")
            #expect(try await self.drift(scratch, files).isEmpty)
        }
    }

    @Test func aFileThatFailsLeavesASnapshotOfThoseBeforeIt() async throws {
        try await self.withEverything { scratch, files in
            let more = [
                try migration("3_c.sql", "CREATE TABLE app.third ()"), try migration("4_d.sql", "SELECT nonsense"),
            ]
            await #expect(throws: MigrationFailure.self) { try await scratch.up(files + more) }
            let drift = try await self.drift(scratch, files + more)
            #expect(drift.sinceLastRun?.isEmpty == true)
        }
    }

    @Test func aRunThatAppliesNothingLeavesTheEvidence() async throws {
        try await self.withEverything { scratch, files in
            try await scratch.connection.simpleQuery(unsafeSQL: "ALTER TABLE app.more ADD COLUMN byhand int")
            let broken = try files + [migration("3_c.sql", "nonsense")]
            await #expect(throws: MigrationFailure.self) { try await scratch.up(broken) }
            #expect(try await self.drift(scratch, files).sinceLastRun?.isEmpty == false)
            await #expect(throws: MigrationFailure.self) {
                try await scratch.migrator().repair(files, [.accept(1)])
            }
            #expect(try await self.drift(scratch, files).sinceLastRun?.isEmpty == false)
        }
    }

    @Test func aRunThatFindsTheSnapshotOldTakesIt() async throws {
        try await self.withEverything { scratch, files in
            try await scratch.connection.simpleQuery(unsafeSQL: "DELETE FROM migrate.snapshot")
            #expect(try await self.drift(scratch, files).sinceLastRun == nil)
            #expect(try await scratch.up(files) == [])
            #expect(try await self.drift(scratch, files).sinceLastRun?.isEmpty == true)
        }
    }

    @Test func aReplayThatIsNotPossibleIsTold() async throws {
        try await self.withEverything { scratch, _ in
            let files = [try migration("1_all.sql", Self.everything + ";"), try migration("2_more.sql", "SELECT 1")]
            let drift = try await self.drift(scratch, files, replaying: true)
            #expect(drift.fromReplay == nil)
            #expect(drift.omissions.contains { $0.contains("1_all.sql is not as it was applied") })
        }
    }

    @Test func patternsAreReadFromAFile() {
        let list = IgnoreList(text: "# nightly\nindex:app.emergency_*  # made by hand\r\n\n  app.tmp_*_x\n")
        #expect(list == IgnoreList(["index:app.emergency_*", "app.tmp_*_x"]))
        #expect(list.covers(CatalogObject(kind: "table", name: "app.tmp_1_x", properties: [:])))
        #expect(!list.covers(CatalogObject(kind: "table", name: "app.tmp_1", properties: [:])))
        #expect(
            list.covers(
                CatalogObject(kind: "index", name: "app.i", parent: "table app.tmp_a_x", properties: [:])))
    }
}
