import Foundation
import PGClient
import PGTesting
import Testing

@testable import Migrator

@Suite(.timeLimit(.minutes(10)))
struct RepairTests {
    private func states(_ scratch: Scratch) async throws -> [String?] {
        try await scratch.values("SELECT concat_ws(' ', version, state) FROM migrate.ledger ORDER BY id")
    }

    @Test func aBaselineTakesFilesAsAppliedWithoutRunningThem() async throws {
        try await Scratch.with { scratch in
            try await scratch.connection.simpleQuery(unsafeSQL: "CREATE TABLE a ()")
            let files = [
                try migration("1_a.sql", "CREATE TABLE a ()"), try migration("2_b.sql", "SELECT 1 / 0"),
                try migration("3_c.sql", "CREATE TABLE c ()"),
                try migration("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1"),
            ]
            #expect(try await scratch.migrator().baseline(files, to: 2).map(\.fileName) == ["1_a.sql", "2_b.sql"])
            #expect(try await self.states(scratch) == ["1 baseline", "2 baseline"])
            #expect(try await scratch.up(files) == ["3_c.sql", "R__v.sql"])
            let again = await #expect(throws: MigrationFailure.self) {
                try await scratch.migrator().baseline(files, to: 3)
            }
            #expect(again?.message.contains("ledger already") == true)
        }
    }

    @Test func aChangeThatWasMadeOnPurposeIsAccepted() async throws {
        try await Scratch.with { scratch in
            try await scratch.up([try migration("1_a.sql", "CREATE TABLE a ()")])
            let files = [try migration("1_a.sql", "CREATE TABLE a (); -- as it should have been")]
            try await scratch.migrator().repair(files, [.accept(1)])
            #expect(try await self.states(scratch) == ["1 replaced", "1 applied"])
            #expect(try await scratch.up(files) == [])
            let none = await #expect(throws: MigrationFailure.self) {
                try await scratch.migrator().repair(files, [.accept(1)])
            }
            #expect(none?.kind == .usage)
        }
    }

    @Test func aMigrationWhoseFileIsGoneIsForgotten() async throws {
        try await Scratch.with { scratch in
            let file = try migration("1_a.sql", "CREATE TABLE a ()")
            try await scratch.up([file])
            let refused = await #expect(throws: MigrationFailure.self) {
                try await scratch.migrator().repair([file], [.forget(.version(1))])
            }
            #expect(refused?.kind == .usage)
            try await scratch.migrator().repair([], [.forget(.version(1))])
            #expect(try await self.states(scratch) == ["1 replaced"])
            #expect(try await scratch.up([]) == [])
        }
    }

    @Test func aFileThatStandsHalfWayIsBegunAgainOrTakenAsDone() async throws {
        try await Scratch.with { scratch in
            let file = try migration("1_a.sql", "-- migrate:no-transaction\nCREATE TABLE a ();\nCREATE TABLE b ();\n")
            try await scratch.connection.simpleQuery(unsafeSQL: "CREATE TABLE b ()")
            await #expect(throws: MigrationFailure.self) { try await scratch.up([file]) }
            try await scratch.connection.simpleQuery(unsafeSQL: "DROP TABLE a, b")
            try await scratch.migrator().repair([file], [.forget(.version(1))])
            #expect(try await scratch.up([file]) == ["1_a.sql"])
            #expect(try await self.states(scratch) == ["1 replaced", "1 applied"])
            let second = try migration("2_b.sql", "-- migrate:no-transaction\nCREATE TABLE c ();\nnonsense;\n")
            await #expect(throws: MigrationFailure.self) { try await scratch.up([file, second]) }
            try await scratch.migrator().repair([file, second], [.done(.version(2))])
            #expect(try await self.states(scratch).suffix(2) == ["2 replaced", "2 baseline"])
            #expect(try await scratch.up([file, second]) == [])
        }
    }

    @Test func aRepeatableFileThatStandsHalfWayIsBegunAgainOrTakenAsDone() async throws {
        try await Scratch.with { scratch in
            try await MigrateProgram.with(scratch) { program in
                let head = "-- migrate:no-transaction\n"
                try program.write("R__x.sql", head + "CREATE TABLE a ();\nSELECT 1 / 0;\n")
                #expect(try await program.run("up").status == 1)
                let advice = try await program.run("repair")
                #expect(advice.status == 4)
                #expect(advice.output.contains("`migrate repair --forget R__x` or `--done R__x`"))
                try program.write("R__x.sql", head + "CREATE TABLE IF NOT EXISTS a ();\nSELECT 1;\n")
                #expect(try await program.run("up").error.contains("`migrate repair --forget R__x`"))
                #expect(try await program.run("repair", "--forget", "R__x").status == 0)
                #expect(try await program.run("up").status == 0)
                // Half-way again, and back to what was applied: that would not be run without the repair.
                let applied = head + "CREATE TABLE IF NOT EXISTS a ();\nSELECT 1;\n"
                try program.write("R__x.sql", head + "ALTER TABLE a ADD b int;\nSELECT 1 / 0;\n")
                #expect(try await program.run("up").status == 1)
                try program.write("R__x.sql", applied)
                #expect(try await program.run("up").status == 4)
                #expect(try await program.run("repair", "--forget", "R__x").status == 0)
                #expect(try await program.run("up").output.contains("applied R__x.sql"))
                try program.write("R__x.sql", head + "ALTER TABLE a ADD c int;\nSELECT 1 / 0;\n")
                #expect(try await program.run("up").status == 1)
                try FileManager.default.removeItem(atPath: program.directory + "/R__x.sql")
                #expect(try await program.run("repair").output.contains("`migrate repair --forget R__x`"))
                try program.write("R__x.sql", applied)
                #expect(try await program.run("repair", "--done", "R__x.sql").status == 0)
                #expect(try await program.run("status").status == 0)
                #expect(try await program.run("repair", "--done", "R__x").status == 2)
                #expect(try await program.run("repair", "--forget", "x").status == 2)
            }
        }
    }

    @Test func aMigrationThatIsUndoneInPartIsTakenAsUndoneOrAsApplied() async throws {
        try await Scratch.with { scratch in
            try await MigrateProgram.with(scratch) { program in
                try program.write(
                    "0001_a.sql",
                    "-- migrate:no-transaction\nCREATE TABLE a ();\n-- migrate:down\nDROP TABLE a;\nSELECT 1 / 0;\n")
                #expect(try await program.run("up").status == 0)
                #expect(try await program.run("down", "--to", "0", "--yes").status == 1)
                let advice = try await program.run("repair")
                #expect(advice.status == 4)
                #expect(advice.output.contains("`migrate down`"))
                #expect(!advice.output.contains("`migrate up`"))
                try await scratch.connection.simpleQuery(unsafeSQL: "CREATE TABLE a ()")
                #expect(try await program.run("repair", "--forget", "1").status == 0)
                #expect(try await program.run("status").output.hasPrefix("applied   1 a"))
                #expect(try await program.run("down", "--to", "0", "--yes").status == 1)
                #expect(try await program.run("repair", "--done", "1").status == 0)
                #expect(try await program.run("status").output == "pending   1 a\n")
                #expect(try await program.run("up").status == 0)
            }
        }
    }
}
