import Foundation
import PGClient
import PGTesting
import Testing

@testable import Migrator

@Suite(.timeLimit(.minutes(10)))
struct PsqlScriptTests {
    private static let ledger = """
        SELECT concat_ws(' ', version, slug, kind, direction, sha256, raw_sha256, state, breaks_before, role, session_role, tool_version,
            settings, statements_done, statements_total, started_at <= finished_at,
            (SELECT string_agg(concat(statement, journal.sha256, journal.finished_at IS NOT NULL), ',' ORDER BY statement)
                FROM migrate.journal WHERE ledger_id = id))
        FROM migrate.ledger ORDER BY id
        """
    /// What there is, with its owner, rights and definition.
    private static let catalog = """
        SELECT concat_ws(' ', relname, relkind, relowner::regrole, relacl, pg_get_viewdef(oid), pg_get_indexdef(oid),
            (SELECT string_agg(concat(attname, atttypid::regtype, attnotnull), ',' ORDER BY attnum)
                FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped),
            (SELECT string_agg(pg_get_constraintdef(pg_constraint.oid), ',' ORDER BY conname)
                FROM pg_constraint WHERE conrelid = pg_class.oid))
        FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'migrate'::regnamespace) ORDER BY relname
        """

    private func files(_ scratch: Scratch) throws -> [MigrationFile] {
        [
            try migration(
                "1_a.sql",
                "-- migrate:breaks-before 1\nCREATE TABLE a (b int, c int[] DEFAULT '{1}');\nINSERT INTO a VALUES (1);\nCOPY a (b) FROM stdin;\n2\n\\N\n\\.\n"
            ),
            try migration(
                "2_b.sql",
                "-- migrate:no-transaction\nSET work_mem = '8MB';\nCREATE INDEX CONCURRENTLY a_b ON a (b);\nVACUUM a;\nALTER TABLE a ADD d text;"
            ),
            try migration(
                "3_c.sql",
                "-- migrate:role pg_database_owner\nSELECT (ARRAY[1, 2])[1:1], 'it''s \\ ü'::text -- no semicolon"),
            try migration(
                "R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT b, current_setting('migrate.who', true) FROM a;"),
        ]
    }

    private var options: MigratorOptions {
        var options = MigratorOptions()
        options.settings = ["who": "it's \\ me"]
        return options
    }

    /// Runs psql, and returns its exit status and what it complained about.
    private func psql(
        _ script: String, _ scratch: Scratch, conninfo: String = "", environment: [String: String] = [:]
    ) async throws -> (status: Int32, errors: String) {
        let path = NSTemporaryDirectory() + UUID().uuidString + ".sql"
        try Data(script.utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["psql", "-X", "-f", path, scratch.database.conninfo + conninfo]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        let (ended, end) = AsyncStream<Int32>.makeStream()
        process.terminationHandler = { end.yield($0.terminationStatus) }
        try process.run()
        let text = try errors.fileHandleForReading.readToEnd() ?? Data()
        var statuses = ended.makeAsyncIterator()
        return (await statuses.next() ?? -1, String(decoding: text, as: UTF8.self))
    }

    @Test func whatPsqlLeavesBehindIsWhatARunLeavesBehind() async throws {
        try await Scratch.with { applied in
            try await applied.up(try self.files(applied), options: self.options)
            try await Scratch.with { scripted in
                let files = try self.files(scripted)
                let script = try await scripted.migrator(options: self.options).script(files)
                let (status, errors) = try await self.psql(script, scripted)
                #expect(status == 0)
                #expect(errors == "")
                #expect(try await scripted.values(Self.ledger) == applied.values(Self.ledger))
                #expect(try await scripted.values(Self.catalog) == applied.values(Self.catalog))
                #expect(try await scripted.values("SELECT b FROM a ORDER BY b") == ["1", "2", nil])
                #expect(try await scripted.up(files, options: self.options) == [])
                #expect(script == (try scripted.migrator(options: self.options).script(files, from: 0)))
                let (again, complaint) = try await self.psql(script, scripted)
                #expect(again != 0)
                #expect(complaint.contains("another state of the database"))
            }
        }
    }

    @Test func aScriptStopsWhileARunIsAtWork() async throws {
        try await Scratch.with { scratch in
            let script = try await scratch.migrator().script([migration("1_a.sql", "CREATE TABLE a ()")])
            try await RunLock(scratch.connection).acquire(within: .zero) { _ in }
            let (status, errors) = try await self.psql(script, scratch)
            #expect(status != 0)
            #expect(errors.contains("holds this database's lock"))
            #expect(try await scratch.values("SELECT to_regclass('a')") == [nil])
        }
    }

    @Test(arguments: ["", "-- migrate:no-transaction\n"])
    func whatAFileLeavesInTheSessionDoesNotReachTheNext(_ head: String) async throws {
        try await Scratch.with { scratch in
            let files = [
                try migration("1_a.sql", "CREATE TABLE orders ()"),
                try migration("2_b.sql", head + "CREATE TEMP TABLE orders ()"),
                try migration("3_c.sql", head + "ALTER TABLE orders ADD b int"),
                try migration("4_d.sql", "SET default_transaction_read_only = on"),
                try migration("5_e.sql", head + "ALTER TABLE orders ADD c int"),
            ]
            let (status, errors) = try await self.psql(try await scratch.migrator().script(files), scratch)
            #expect(status == 0)
            #expect(errors == "")
            #expect(
                try await scratch.values(
                    "SELECT attname FROM pg_attribute WHERE attrelid = 'public.orders'::regclass AND attnum > 0")
                    == ["b", "c"])
        }
    }

    @Test(arguments: ["", "-- migrate:no-transaction\n"])
    func textIsUTF8WhateverTheEncodingOfTheTerminal(_ head: String) async throws {
        try await Scratch.with { scratch in
            let files = [
                try migration("1_a.sql", head + "CREATE TABLE a (b text);\nINSERT INTO a VALUES ('Größe')"),
                try migration("2_b.sql", head + "INSERT INTO a VALUES ('漢');\nCOPY a FROM stdin;\né\n\\.\n"),
            ]
            let script = try await scratch.migrator().script(files)
            let (status, errors) = try await self.psql(script, scratch, environment: ["PGCLIENTENCODING": "LATIN1"])
            #expect(status == 0)
            #expect(errors == "")
            #expect(try await scratch.values("SELECT b FROM a") == ["Größe", "漢", "é"])
        }
    }

    @Test func aLoginThatDoesNotInheritActsAsTheRole() async throws {
        try await Scratch.with { scratch in
            let login = try await scratch.login(mayBecome: scratch.owner)
            var options = MigratorOptions()
            options.role = scratch.owner
            let files = [try migration("1_a.sql", "CREATE SCHEMA s")]
            let script = try await scratch.migrator(options: options).script(files)
            let (status, errors) = try await self.psql(script, scratch, conninfo: login)
            #expect(status == 0)
            #expect(errors == "")
            #expect(try await scratch.values("SELECT role FROM migrate.ledger") == [scratch.owner])
        }
    }

    @Test func aScriptOfRepeatableFilesIsRunOnce() async throws {
        try await Scratch.with { scratch in
            for column in 1...2 {
                let file = try migration("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT \(column) AS a")
                let script = try await scratch.migrator().script([file])
                #expect(try await self.psql(script, scratch).status == 0)
                let (again, complaint) = try await self.psql(script, scratch)
                #expect(again != 0)
                #expect(complaint.contains("another state of the database"))
            }
            let first = try migration("1_a.sql", "SELECT 1")
            let third = try migration("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 3 AS a")
            // Made without a database, it knows of the versions only.
            let script = try scratch.migrator().script([first, third], from: 1)
            try await scratch.migrator().baseline([first], to: 1)
            #expect(try await self.psql(script, scratch).status == 0)
        }
    }

    @Test func aFileThatFailsLeavesThoseBeforeIt() async throws {
        try await Scratch.with { scratch in
            let files = [
                try migration("1_a.sql", "CREATE TABLE a ()"),
                try migration("2_b.sql", "CREATE TABLE b ();\nnonsense;"),
            ]
            let (status, _) = try await self.psql(try await scratch.migrator().script(files), scratch)
            #expect(status != 0)
            #expect(try await scratch.values("SELECT version FROM migrate.ledger") == ["1"])
            #expect(try await scratch.values("SELECT to_regclass('b')") == [nil])
        }
    }

    @Test(arguments: ["SELECT a[1:ROW_COUNT] FROM b", "SELECT a[1:user] FROM b"])
    func whatPsqlWouldReplaceIsRefused(_ sql: String) async throws {
        let file = try migration("1_a.sql", "SELECT 1;\n" + sql)
        let migrator = Migrator(PGConfiguration(), logger: Scratch.logger)
        let failure = #expect(throws: MigrationFailure.self) { try migrator.script([file], from: 0) }
        #expect(failure?.place?.position.line == 2)
    }
}
