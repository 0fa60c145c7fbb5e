import Foundation
import PGClient
import PGTesting
import Testing

@testable import Migrator

@Suite(.timeLimit(.minutes(10)))
struct DeploymentPlanTests {
    private static let first = """
        CREATE SCHEMA app;
        CREATE TABLE app.big (id int, note text);
        CREATE TABLE app.small (id int CONSTRAINT small_pkey PRIMARY KEY);
        """

    private func server(_ scratch: Scratch) -> ScratchServer { ScratchServer(scratch.database.configuration) }

    private func plan(
        _ scratch: Scratch, _ files: [MigrationFile], scratch server: ScratchServer? = nil
    ) async throws -> DeploymentPlan {
        try await scratch.migrator().plan(files, ignoring: IgnoreList([]), scratch: server ?? self.server(scratch))
    }

    @Test func aPlanTellsWhatIsLockedForHowLongAndWhoIsInTheWay() async throws {
        try await Scratch.with { scratch in
            let first = try migration("1_a.sql", Self.first)
            try await scratch.up([first])
            try await scratch.connection.simpleQuery(
                unsafeSQL: "INSERT INTO app.big SELECT i FROM generate_series(1, 10000) AS i; ANALYZE app.big")
            let files = [
                first,
                try migration(
                    "2_b.sql",
                    "SELECT count(*) FROM app.small;\nINSERT INTO app.small VALUES (1);\nALTER TABLE app.big ALTER id TYPE bigint;"
                ),
                try migration("3_c.sql", "CREATE TABLE app.more (id int CONSTRAINT fk REFERENCES app.small);"),
                try migration(
                    "4_d.sql", "-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY big_idx ON app.big (note);"),
            ]
            let plan = try await scratch.connection.withTransaction { transaction in
                try await transaction.query("SELECT count(*) FROM app.big")
                return try await self.plan(scratch, files)
            }
            #expect(plan.files.map(\.file) == ["2_b.sql", "3_c.sql", "4_d.sql"])
            #expect(plan.files.map(\.failure) == [nil, nil, nil])
            let locks = plan.files.map { $0.locks.map { "\($0.relation) \($0.mode.rawValue) \($0.line)" } }
            #expect(
                locks == [
                    ["app.big ACCESS EXCLUSIVE 3", "app.small ROW EXCLUSIVE 2"],
                    ["app.small SHARE ROW EXCLUSIVE 1"],
                    ["app.big SHARE UPDATE EXCLUSIVE 2"],
                ])
            let big = try #require(plan.files.first?.locks.first)
            #expect(big.isRewritten)
            #expect(big.rows == 10_000)
            #expect((big.bytes ?? 0) > 100_000)
            #expect(big.blockers.map(\.pid) == [scratch.connection.backendPID])
            #expect(big.blockers.first?.mode == .accessShare)
            #expect(plan.files.first?.locks.last?.isRewritten == false)
            #expect(plan.files.map(\.isTransaction) == [true, true, false])
            #expect(try await scratch.values("SELECT to_regclass('app.more')") == [nil])
        }
    }

    @Test func aFileThatFailsThereIsTold() async throws {
        try await Scratch.with { scratch in
            let files = [
                try migration("1_a.sql", Self.first),
                try migration("2_b.sql", "SELECT 1;\nALTER TABLE app.none ADD a int;"),
                try migration("3_c.sql", "SELECT 1"),
            ]
            let plan = try await self.plan(scratch, files)
            #expect(plan.files[1].failure?.hasPrefix("2_b.sql:2:1: error: ") == true)
            #expect(plan.files[2].unknown == "not tried, since 2_b.sql failed")
            #expect(try await scratch.values("SELECT to_regclass('app.big')") == [nil])
        }
    }

    @Test(arguments: ["", "-- migrate:no-transaction\n"])
    func whatReachesBeyondTheDatabaseIsNotTriedAndMayBeApplied(_ head: String) async throws {
        try await Scratch.with { scratch in
            let role = scratch.database.name + "_made"
            let files = [
                try migration("1_a.sql", Self.first),
                try migration("2_b.sql", head + "SELECT 1;\nCREATE ROLE \(role.quotedAsName);"),
                try migration("3_c.sql", "ALTER TABLE app.big ADD a int;"),
            ]
            let roles = "SELECT rolname FROM pg_roles WHERE rolname = '\(role)'"
            let plan = try DeploymentPlan(json: try await self.plan(scratch, files).json())
            #expect(try await scratch.values(roles) == [])
            #expect(plan.files.map(\.failure) == [nil, nil, nil])
            let line = head.isEmpty ? 2 : 3
            #expect(plan.files[1].unknown?.contains("line \(line) of 2_b.sql acts on the whole cluster") == true)
            #expect(plan.files[1].unknown?.contains("--scratch-url") == true)
            #expect(plan.files[2].unknown == "not tried, since 2_b.sql was not")
            #expect(try await scratch.migrator().apply(plan, files) == files)
            #expect(try await scratch.values(roles) == [role])
            try await scratch.connection.simpleQuery(unsafeSQL: "DROP ROLE \(role.quotedAsName)")
        }
    }

    @Test func onAnotherClusterNothingIsLeftOut() async throws {
        try await withTemporaryServer { server in
            try server.start()
            let configuration = PGConfiguration(server.conninfo)
            try await Migrator(configuration, logger: Scratch.logger).waitForServer(within: .seconds(120))
            try await Scratch.with { scratch in
                let role = scratch.database.name + "_made"
                let files = [try migration("1_a.sql", "CREATE ROLE \(role.quotedAsName)")]
                let plan = try await self.plan(scratch, files, scratch: ScratchServer(configuration))
                #expect(plan.files[0].unknown == nil)
                #expect(plan.files[0].failure == nil)
                #expect(plan.notes.filter { $0.contains("not known") } == [])
                #expect(try await scratch.values("SELECT rolname FROM pg_roles WHERE rolname = '\(role)'") == [])
            }
        }
    }

    @Test(arguments: ["", "-- migrate:no-transaction\n"])
    func rowsThatStandInTheFileAreCopiedThereToo(_ head: String) async throws {
        try await Scratch.with { scratch in
            let files = [
                try migration("1_a.sql", head + "CREATE TABLE a (b int, c text);\nCOPY a FROM stdin;\n1\tone\n\\.\n"),
                try migration("2_b.sql", "ALTER TABLE a ADD CONSTRAINT one CHECK (b = 1)"),
                try migration("3_c.sql", head + "COPY a FROM stdin;\n2\ttwo\n\\.\n"),
            ]
            let plan = try await self.plan(scratch, files)
            #expect(plan.files.map { $0.failure?.contains("one") } == [nil, nil, true])
            try await scratch.up(Array(files.prefix(2)))
            let drift = try await scratch.migrator().drift(
                Array(files.prefix(2)), ignoring: IgnoreList([]), scratch: self.server(scratch))
            #expect(drift.fromReplay?.isEmpty == true)
            #expect(drift.omissions == [])
        }
    }

    @Test func aPlanWithoutAScratchDatabaseSaysWhatItCannotTell() async throws {
        try await Scratch.with { scratch in
            let files = [try migration("1_a.sql", Self.first)]
            var forbidden = scratch.database.configuration
            forbidden.parameters["role"] = scratch.app
            let plan = try await self.plan(scratch, files, scratch: ScratchServer(forbidden))
            #expect(plan.files.map(\.file) == ["1_a.sql"])
            #expect(plan.notes.contains { $0.contains("their locks are not known: a scratch database cannot be made") })
        }
    }

    @Test func aSchemaThatWasChangedByHandIsTold() async throws {
        try await Scratch.with { scratch in
            let files = [try migration("1_a.sql", Self.first), try migration("2_b.sql", "SELECT 1")]
            try await scratch.up([files[0]])
            try await scratch.connection.simpleQuery(unsafeSQL: "ALTER TABLE app.big ADD by_hand int")
            #expect(
                try await self.plan(scratch, files).notes.contains { $0.contains("is not what the applied files make") }
            )
        }
    }

    @Test func whatWasPlannedIsApplied() async throws {
        try await Scratch.with { scratch in
            let files = [
                try migration("1_a.sql", Self.first), try migration("R__v.sql", "CREATE VIEW app.v AS SELECT 1 AS a"),
            ]
            let plan = try DeploymentPlan(json: try await self.plan(scratch, files).json())
            #expect(try await scratch.migrator().apply(plan, files) == files)
            #expect(try await scratch.values("SELECT count(*) FROM migrate.ledger") == ["2"])
        }
    }

    private func refusal(
        _ scratch: Scratch, _ plan: DeploymentPlan, _ files: [MigrationFile]
    ) async throws -> String {
        let failure = await #expect(throws: MigrationFailure.self) {
            try await scratch.migrator().apply(plan, files)
        }
        #expect(failure?.kind == .drift)
        return try #require(failure).message
    }

    @Test func aPlanDoesNotHoldForOtherFiles() async throws {
        try await Scratch.with { scratch in
            let files = [try migration("1_a.sql", Self.first), try migration("2_b.sql", "SELECT 1")]
            let plan = try await self.plan(scratch, files)
            let changed = [files[0], try migration("2_b.sql", "SELECT 2")]
            #expect(try await self.refusal(scratch, plan, changed).hasSuffix("not those of the plan: 2_b.sql"))
            let more = files + [try migration("3_c.sql", "SELECT 3")]
            #expect(try await self.refusal(scratch, plan, more).hasSuffix("not those of the plan: 3_c.sql"))
            #expect(try await self.refusal(scratch, plan, [files[0]]).hasSuffix("not those of the plan: 2_b.sql"))
            #expect(try await scratch.values("SELECT to_regclass('app.big')") == [nil])
        }
    }

    @Test func aPlanDoesNotHoldForAnotherDatabaseOrAnotherState() async throws {
        try await Scratch.with { scratch in
            let files = [try migration("1_a.sql", Self.first), try migration("2_b.sql", "SELECT 1")]
            let plan = try await self.plan(scratch, files)
            try await Scratch.with { other in
                let message = try await self.refusal(other, plan, files)
                #expect(message.contains("the database is \(other.database.name)"))
            }
            try await scratch.up([files[0]])
            #expect(try await self.refusal(scratch, plan, files).contains("the database is at 1 instead of nothing"))
            let elsewhere = String(decoding: try plan.json(), as: UTF8.self)
                .replacing(plan.server.systemIdentifier, with: "7000000000000000001")
            let moved = try DeploymentPlan(json: Data(elsewhere.utf8))
            #expect(try await self.refusal(scratch, moved, files).contains("the server is another one"))
            // The version is the same, but it was applied in another way.
            let second = try await self.plan(scratch, files)
            try await scratch.connection.simpleQuery(unsafeSQL: "DELETE FROM migrate.ledger")
            try await scratch.migrator().baseline([files[0]], to: 1)
            #expect(try await self.refusal(scratch, second, files).contains("the ledger was changed since"))
        }
    }

    @Test(arguments: ["", "{}", "[1]", #"{"format": 2}"#, #"{"format": 1}"#])
    func whatIsNoPlanIsRefused(_ text: String) {
        let failure = #expect(throws: MigrationFailure.self) { try DeploymentPlan(json: Data(text.utf8)) }
        #expect(failure?.kind == .usage)
    }

    /// PostgreSQL manual, table "Conflicting Lock Modes".
    @Test func lockModesConflictAsTheManualSays() {
        let table = [
            ".......X", "......XX", "....XXXX", "...XXXXX", "..XX.XXX", "..XXXXXX", ".XXXXXXX", "XXXXXXXX",
        ].map { Array($0).map(String.init) }
        for (row, mode) in zip(table, LockMode.allCases) {
            #expect(LockMode.allCases.map { mode.conflicts(with: $0) ? "X" : "." } == row, "\(mode)")
        }
    }
}
