import PGClient
import PGTesting
import Testing

@testable import Migrator

@Suite(.timeLimit(.minutes(10)))
struct DoctorTests {
    private func examine(_ scratch: Scratch, role: String? = nil, conninfo: String = "") async throws -> [Finding] {
        var options = MigratorOptions()
        options.role = role
        return try await Migrator(
            PGConfiguration(scratch.database.conninfo + conninfo), options: options, logger: Scratch.logger
        ).examine()
    }

    private func problems(_ findings: [Finding]) -> [String] {
        findings.filter { $0.level == .problem }.map(\.name)
    }

    @Test func aDatabaseThatIsAllRightHasNoProblems() async throws {
        try await Scratch.with { scratch in
            #expect(try await self.problems(self.examine(scratch, role: scratch.owner)) == [])
            var options = MigratorOptions()
            options.role = scratch.owner
            try await scratch.up([try migration("7_a.sql", "CREATE SCHEMA s")], options: options)
            let findings = try await self.examine(scratch, role: scratch.owner)
            #expect(self.problems(findings) == [])
            #expect(findings.first { $0.name == "ledger" }?.message == "version 7 is the newest, of 1 applied")
        }
    }

    @Test func rolesThatCannotCreateAreNamedWithTheRemedy() async throws {
        try await Scratch.with { scratch in
            #expect(try await self.problems(self.examine(scratch, role: "nobody's")) == ["role"])
            let findings = try await self.examine(scratch, role: scratch.app)
            #expect(self.problems(findings) == ["role-create"])
            let remedy = try #require(findings.first { $0.name == "role-create" }?.remedy)
            try await scratch.connection.query(PGQuery(unsafeSQL: remedy))
            #expect(try await self.problems(self.examine(scratch, role: scratch.app)) == [])
        }
    }

    @Test func aLoginThatIsNoMemberOfTheRoleIsNamed() async throws {
        try await Scratch.with { scratch in
            let login = try await scratch.login(as: scratch.app)
            let findings = try await self.examine(scratch, role: scratch.owner, conninfo: login)
            #expect(self.problems(findings) == ["role-member"])
            #expect(findings.contains { $0.name == "stats" })
        }
    }

    @Test func aLoginThatIsGivenARoleIsExaminedAsThat() async throws {
        try await Scratch.with { scratch in
            let login = try await scratch.login(withRole: scratch.owner)
            let before = try await self.examine(scratch, conninfo: login)
            #expect(self.problems(before) == [])
            #expect(
                before.first { $0.name == "role" }?.message
                    == "logged in as \(scratch.app), creates as \(scratch.owner)")
            let migrator = Migrator(PGConfiguration(scratch.database.conninfo + login), logger: Scratch.logger)
            try await migrator.up([migration("1_a.sql", "SELECT 1")])
            #expect(try await self.problems(self.examine(scratch, conninfo: login)) == [])
        }
    }

    @Test func aLedgerThatOthersOwnOrWriteIsAProblem() async throws {
        try await Scratch.with { scratch in
            var options = MigratorOptions()
            options.role = scratch.owner
            try await scratch.up([try migration("1_a.sql", "SELECT 1")], options: options)
            #expect(try await self.problems(self.examine(scratch)) == ["ledger-owner"])
            try await scratch.connection.query(
                PGQuery(unsafeSQL: "GRANT INSERT ON migrate.ledger TO \(scratch.app.quotedAsName)"))
            #expect(try await self.problems(self.examine(scratch, role: scratch.owner)) == ["ledger-writable"])
            let login = try await scratch.login(as: scratch.app)
            let findings = try await self.examine(scratch, conninfo: login)
            #expect(self.problems(findings) == ["role-create", "ledger"])
        }
    }

    @Test func whatStandsHalfWayAndInvalidIndexesAreNamed() async throws {
        try await Scratch.with { scratch in
            let files = [
                try migration("1_a.sql", "CREATE TABLE a (b int); INSERT INTO a VALUES (1), (1)"),
                try migration("2_b.sql", "-- migrate:no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY a_b ON a (b)"),
            ]
            await #expect(throws: MigrationFailure.self) { try await scratch.up(files) }
            let findings = try await self.examine(scratch)
            #expect(self.problems(findings) == ["half-way"])
            #expect(
                findings.first { $0.name == "invalid-index" }?.remedy == "DROP INDEX CONCURRENTLY public.a_b;")
        }
    }

    @Test func aReadOnlySessionIsAProblem() async throws {
        try await Scratch.with { scratch in
            let findings = try await self.examine(scratch, conninfo: " options='-c default_transaction_read_only=on'")
            #expect(self.problems(findings) == ["read-only"])
        }
    }
}
