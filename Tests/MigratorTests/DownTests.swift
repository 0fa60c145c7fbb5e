import PGClient
import PGTesting
import Testing

@testable import Migrator

@Suite(.timeLimit(.minutes(10)))
struct DownTests {
    private func files() throws -> [MigrationFile] {
        [
            try migration("1_a.sql", "CREATE TABLE a ();\n-- migrate:down\nDROP TABLE a;\n"),
            try migration("2_b.sql", "ALTER TABLE a ADD b int;\n-- migrate:down\nALTER TABLE a DROP b;\n"),
            try migration("3_c.sql", "CREATE TABLE c ();\n-- migrate:down\nDROP TABLE c;\n"),
        ]
    }

    private func down(_ scratch: Scratch, _ files: [MigrationFile], to target: Int64) async throws -> [String] {
        try await scratch.migrator().down(files, to: target) { _ in true }.map(\.fileName)
    }

    @Test func whatWasAppliedLastIsUndoneFirstAndStaysInTheHistory() async throws {
        try await Scratch.with { scratch in
            let files = try self.files()
            try await scratch.up(files)
            #expect(try await self.down(scratch, files, to: 1) == ["3_c.sql", "2_b.sql"])
            #expect(try await scratch.values("SELECT to_regclass('c')") == [nil])
            #expect(
                try await scratch.values(
                    "SELECT concat_ws(' ', version, direction, state) FROM migrate.ledger ORDER BY id")
                    == [
                        "1 up applied", "2 up undone", "3 up undone", "3 down undone", "2 down undone",
                    ])
            #expect(try await scratch.up(files) == ["2_b.sql", "3_c.sql"])
            #expect(try await self.down(scratch, files, to: 0) == ["3_c.sql", "2_b.sql", "1_a.sql"])
            #expect(try await scratch.values("SELECT to_regclass('a')") == [nil])
        }
    }

    @Test func nothingIsDoneWithoutApproval() async throws {
        try await Scratch.with { scratch in
            let files = try self.files()
            try await scratch.up(files)
            #expect(try await scratch.migrator().down(files, to: 0) { _ in false } == [])
            #expect(try await scratch.values("SELECT to_regclass('c') IS NOT NULL") == ["true"])
        }
    }

    @Test func aFileWithoutADownSectionKeepsEverythingAsItIs() async throws {
        try await Scratch.with { scratch in
            let files = [try migration("1_a.sql", "CREATE TABLE a ()")] + (try self.files().dropFirst())
            try await scratch.up(files)
            let failure = await #expect(throws: MigrationFailure.self) { try await self.down(scratch, files, to: 0) }
            #expect(failure?.message.contains("1_a.sql") == true)
            #expect(try await scratch.values("SELECT to_regclass('c') IS NOT NULL") == ["true"])
        }
    }

    @Test func aFileThatWasChangedIsNotUndone() async throws {
        try await Scratch.with { scratch in
            var files = try self.files()
            try await scratch.up(files)
            files[2] = try migration("3_c.sql", "CREATE TABLE c ();\n-- migrate:down\nDROP TABLE a;\n")
            let failure = await #expect(throws: MigrationFailure.self) { try await self.down(scratch, files, to: 2) }
            #expect(failure?.kind == .drift)
        }
    }

    @Test func aFileWithoutTransactionIsUndoneStatementByStatement() async throws {
        try await Scratch.with { scratch in
            let file = try migration(
                "2_b.sql",
                """
                -- migrate:no-transaction
                CREATE TABLE b (c int);
                CREATE INDEX CONCURRENTLY b_c ON b (c);
                -- migrate:down
                DROP INDEX CONCURRENTLY b_c;
                DROP VIEW in_the_way;
                DROP TABLE b;
                """)
            try await scratch.up([file])
            await #expect(throws: MigrationFailure.self) { try await self.down(scratch, [file], to: 0) }
            let stuck = await #expect(throws: MigrationFailure.self) { try await scratch.up([file]) }
            #expect(stuck?.kind == .drift)
            #expect(stuck?.hint?.contains("migrate down") == true)
            try await scratch.connection.simpleQuery(unsafeSQL: "CREATE VIEW in_the_way AS SELECT 1")
            #expect(try await self.down(scratch, [file], to: 0) == ["2_b.sql"])
            #expect(try await scratch.values("SELECT to_regclass('b')") == [nil])
            #expect(try await scratch.values("SELECT DISTINCT state FROM migrate.ledger") == ["undone"])
            #expect(try await scratch.up([file]) == ["2_b.sql"])
        }
    }

    @Test(arguments: ["", "-- migrate:no-transaction\n"])
    func repeatableFilesAreAppliedAgainAfterwards(_ head: String) async throws {
        try await Scratch.with { scratch in
            let files = [
                try migration("1_a.sql", head + "CREATE TABLE a (b int);\n-- migrate:down\nDROP TABLE a CASCADE;\n"),
                try migration("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT b FROM a"),
            ]
            try await scratch.up(files)
            #expect(try await self.down(scratch, files, to: 0) == ["1_a.sql"])
            #expect(try await scratch.migrator().pending(files) == files)
            #expect(try await scratch.up(files) == ["1_a.sql", "R__v.sql"])
            #expect(try await scratch.values("SELECT to_regclass('v') IS NOT NULL") == ["true"])
        }
    }

    @Test func aFileThatWasMendedAfterItWasUndoneInPartIsAccepted() async throws {
        try await Scratch.with { scratch in
            try await MigrateProgram.with(scratch) { program in
                let file = "-- migrate:no-transaction\nCREATE TABLE a ();\n-- migrate:down\nSELECT 1;\n"
                try program.write("0001_a.sql", file + "DROP TABLE aa;\n")
                _ = try await program.run("up")
                let failed = try await program.run("down", "--to", "0", "--yes")
                #expect(failed.status == 1)
                #expect(failed.error.contains("`migrate repair --accept 1`"))
                try program.write("0001_a.sql", file + "DROP TABLE a;\n")
                let changed = try await program.run("down", "--to", "0", "--yes")
                #expect(changed.status == 4)
                #expect(changed.error.contains("`migrate repair --accept`"))
                #expect(try await program.run("repair", "--accept", "1").status == 0)
                #expect(try await program.run("down", "--to", "0", "--yes").status == 0)
                #expect(try await scratch.values("SELECT to_regclass('a')") == [nil])
            }
        }
    }

    @Test(arguments: [
        "CREATE TABLE a ();\n-- migrate:down\nDROP TABLE a;\n-- migrate:down\nSELECT 1;\n",
        "CREATE TABLE a ();\n-- migrate:down now\nDROP TABLE a;\n", "CREATE TABLE a (\n-- migrate:down\n);\n",
        "CREATE TABLE a ();\n-- migrate:down\nCOMMIT;\n",
    ])
    func aMalformedDownSectionIsRefused(_ sql: String) throws {
        let file = try migration("1_a.sql", sql)
        let failure = #expect(throws: MigrationFailure.self) { try MigrationScript(file) }
        #expect(failure?.place != nil)
    }
}
