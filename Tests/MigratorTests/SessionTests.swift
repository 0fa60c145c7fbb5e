import PGClient
import PGTesting
import Testing

@testable import Migrator

/// As whom files run, and what of the session is theirs alone.
@Suite(.timeLimit(.minutes(10)))
struct SessionTests {
    @Test func theRoleOwnsTheLedgerAndWhatFilesCreate() async throws {
        try await Scratch.with { scratch in
            var options = MigratorOptions()
            options.role = scratch.owner
            options.settings = ["app_role": scratch.app]
            let grants = """
                CREATE SCHEMA s;
                DO $$ BEGIN
                    EXECUTE format('GRANT USAGE ON SCHEMA migrate TO %I', current_setting('migrate.app_role'));
                    EXECUTE format('GRANT SELECT ON migrate.ledger TO %I', current_setting('migrate.app_role'));
                END $$;
                """
            try await scratch.up([try migration("1_a.sql", grants)], options: options)
            let owners = "SELECT nspowner::regrole FROM pg_namespace WHERE nspname IN ('s', 'migrate')"
            #expect(try await scratch.values(owners) == ["\(scratch.owner)", "\(scratch.owner)"])
            #expect(try await scratch.values("SELECT role FROM migrate.ledger") == [scratch.owner])
            #expect(try await scratch.values("SELECT settings ->> 'app_role' FROM migrate.ledger") == [scratch.app])
            let isAllowed = try await scratch.values(
                """
                SELECT has_table_privilege('\(scratch.app)', 'migrate.ledger', privilege)
                FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS privilege
                """)
            #expect(isAllowed == ["true", "false", "false", "false", "false"])
        }
    }

    @Test func whoeverLogsInCreatesForTheRoleAndNothingBelongsToTheLogin() async throws {
        try await Scratch.with { scratch in
            let login = try await scratch.login(mayBecome: scratch.owner)
            var options = MigratorOptions()
            options.role = scratch.owner
            let migrator = Migrator(
                PGConfiguration(scratch.database.conninfo + login), options: options, logger: Scratch.logger)
            let files = [
                try migration("1_a.sql", "CREATE SCHEMA s; CREATE TABLE s.t ()"),
                try migration(
                    "2_b.sql",
                    "-- migrate:no-transaction\nCREATE TABLE s.u (v int);\nCREATE INDEX CONCURRENTLY u_v ON s.u (v);"),
            ]
            try await migrator.up(files)
            try await migrator.waitUntilApplied(files, within: .zero)
            let owners = """
                SELECT DISTINCT relowner::regrole FROM pg_class
                WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('s', 'migrate'))
                """
            #expect(try await scratch.values(owners) == [scratch.owner])
            #expect(
                try await scratch.values("SELECT DISTINCT role || ' ' || session_role FROM migrate.ledger")
                    == ["\(scratch.owner) \(scratch.app)"])
        }
    }

    @Test func aFileMayNameItsOwnRole() async throws {
        try await Scratch.with { scratch in
            let sql = "-- migrate:role \(scratch.owner)\nCREATE SCHEMA s"
            try await scratch.up([try migration("1_a.sql", sql)])
            #expect(try await scratch.values("SELECT role FROM migrate.ledger") == [scratch.owner])
            #expect(
                try await scratch.values("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 's'") == [
                    scratch.owner
                ])
        }
    }

    @Test func whatAFileSetsDoesNotReachTheNext() async throws {
        try await Scratch.with { scratch in
            let files = [
                try migration(
                    "1_a.sql",
                    "SET search_path = ''; SET ROLE \"\(scratch.owner)\"; SET lock_timeout = '1h'; DEALLOCATE ALL"),
                try migration(
                    "2_b.sql",
                    """
                    -- migrate:lock-timeout 3s
                    -- migrate:statement-timeout 4s
                    CREATE TABLE b AS SELECT current_setting('search_path') AS path, current_user::text AS who,
                        current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement
                    """),
            ]
            try await scratch.up(files)
            #expect(try await scratch.values("SELECT path FROM b") == ["\"$user\", public"])
            #expect(try await scratch.values("SELECT who <> '\(scratch.owner)' FROM b") == ["true"])
            #expect(try await scratch.values("SELECT lock || ' ' || statement FROM b") == ["3s 4s"])
        }
    }

    @Test(arguments: ["", "-- migrate:no-transaction\n"])
    func aFileIsTheSameAloneAndAfterAnother(_ head: String) async throws {
        try await Scratch.with { scratch in
            let leaving = """
                CREATE TEMP TABLE orders AS SELECT 1 AS id;
                PREPARE statement AS SELECT 1;
                DECLARE rows CURSOR WITH HOLD FOR SELECT 1;
                SET default_transaction_isolation = 'serializable';
                """
            let readOnly = "\nSET default_transaction_read_only = on;"
            try await scratch.up([
                migration("1_a.sql", "CREATE TABLE orders (a int)"),
                migration("2_b.sql", leaving + readOnly),
                migration("3_c.sql", head + leaving),
                migration(
                    "4_d.sql",
                    head + """
                        ALTER TABLE orders ADD b int;
                        CREATE TABLE modes AS SELECT current_setting('transaction_isolation') AS isolation;
                        """),
                migration("5_e.sql", leaving + readOnly),
            ])
            #expect(
                try await scratch.values(
                    "SELECT attname FROM pg_attribute WHERE attrelid = 'public.orders'::regclass AND attnum > 0")
                    == ["a", "b"])
            #expect(try await scratch.values("SELECT isolation FROM modes") == ["read committed"])
        }
    }

    @Test func whoIsGivenARoleAtItsLoginActsAsThat() async throws {
        try await Scratch.with { scratch in
            let conninfo = scratch.database.conninfo + (try await scratch.login(withRole: scratch.owner))
            let migrator = Migrator(PGConfiguration(conninfo), logger: Scratch.logger)
            try await migrator.up([
                migration("1_a.sql", "CREATE SCHEMA s; CREATE TABLE s.t (v int)"),
                migration("2_b.sql", "-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY t_v ON s.t (v);"),
                migration("3_c.sql", "CREATE TABLE s.u ()"),
            ])
            let owners = """
                SELECT DISTINCT relowner::regrole FROM pg_class
                WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('s', 'migrate'))
                """
            #expect(try await scratch.values(owners) == [scratch.owner])
            #expect(try await scratch.values("SELECT DISTINCT role FROM migrate.ledger") == [scratch.owner])
        }
    }

    @Test func defaultPrivilegesOfTheOwnerDoNotReachTheLedger() async throws {
        try await Scratch.with { scratch in
            try await scratch.connection.simpleQuery(
                unsafeSQL:
                    "ALTER DEFAULT PRIVILEGES FOR ROLE \"\(scratch.owner)\" GRANT INSERT ON TABLES TO \"\(scratch.app)\""
            )
            var options = MigratorOptions()
            options.role = scratch.owner
            try await scratch.up([try migration("1_a.sql", "CREATE SCHEMA s; CREATE TABLE s.t ()")], options: options)
            #expect(
                try await scratch.values("SELECT has_table_privilege('\(scratch.app)', 's.t', 'INSERT')") == ["true"])
            #expect(
                try await scratch.values("SELECT has_table_privilege('\(scratch.app)', 'migrate.ledger', 'INSERT')")
                    == ["false"])
        }
    }
}
