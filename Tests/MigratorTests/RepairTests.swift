import PGClient
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
                try await scratch.migrator().repair([file], [.forget(1)])
            }
            #expect(refused?.kind == .usage)
            try await scratch.migrator().repair([], [.forget(1)])
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
            try await scratch.migrator().repair([file], [.forget(1)])
            #expect(try await scratch.up([file]) == ["1_a.sql"])
            #expect(try await self.states(scratch) == ["1 replaced", "1 applied"])
            let second = try migration("2_b.sql", "-- migrate:no-transaction\nCREATE TABLE c ();\nnonsense;\n")
            await #expect(throws: MigrationFailure.self) { try await scratch.up([file, second]) }
            try await scratch.migrator().repair([file, second], [.done(2)])
            #expect(try await self.states(scratch).suffix(2) == ["2 replaced", "2 baseline"])
            #expect(try await scratch.up([file, second]) == [])
        }
    }
}
