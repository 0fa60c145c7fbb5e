import Foundation
import PGTesting
import Testing

@testable import Migrator

/// `migrate plan` and `migrate apply` as programs.
@Suite(.timeLimit(.minutes(10)))
struct PlanProgramTests {
    private func with(_ body: (Scratch, MigrateProgram) async throws -> Void) async throws {
        try await Scratch.with { scratch in
            try await MigrateProgram.with(scratch) { migrate in
                try migrate.write("1_a.sql", "CREATE TABLE a (b int);")
                try migrate.write("2_b.sql", "ALTER TABLE a ALTER b TYPE bigint;")
                try await body(scratch, migrate)
            }
        }
    }

    @Test func aPlanIsWrittenAppliedAndRefusedAfterwards() async throws {
        try await self.with { scratch, migrate in
            #expect(try await migrate.run("up", "--to", "1").status == 0)
            let file = migrate.directory + "/plan.json"
            let planned = try await migrate.run("plan", "--set", "x=y", "--out", file)
            #expect(planned.status == 0, "\(planned)")
            #expect(planned.output.contains("line 1: ACCESS EXCLUSIVE on public.a ("))
            #expect(planned.output.contains("blocks reads and writes; every row is written anew or taken away"))
            #expect(planned.output.contains("`migrate apply --plan \(file)` applies this and nothing else."))
            let applied = try await migrate.run("apply", "--plan", file)
            #expect(applied.status == 0, "\(applied)")
            #expect(
                try await scratch.values("SELECT settings FROM migrate.ledger WHERE version = 2") == [#"{"x": "y"}"#])
            let again = try await migrate.run("apply", "--plan", file)
            #expect(again.status == 4)
            #expect(again.error.contains("the plan does not hold any more"))
        }
    }

    @Test func aFileThatFailsMakesThePlanFail() async throws {
        try await self.with { _, migrate in
            try migrate.write("3_c.sql", "ALTER TABLE a DROP COLUMN c;")
            let planned = try await migrate.run("plan")
            #expect(planned.status == 1)
            #expect(
                planned.output.contains("    fails: 3_c.sql:1:1: error: column \"c\" of relation \"a\" does not exist"))
        }
    }

    /// A program of that name that answers as squawk does, with what it was given.
    private func fakeSquawk(_ script: String, in directory: String) throws -> [String: String] {
        let bin = directory + "/bin"
        try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
        try Data(("#!/bin/sh\n" + script).utf8).write(to: URL(filePath: bin + "/squawk"))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: bin + "/squawk")
        return ["PATH": bin + ":/usr/bin:/bin"]
    }

    @Test func whatSquawkFindsStandsInThePlan() async throws {
        try await self.with { _, migrate in
            let environment = try self.fakeSquawk(
                """
                read -r sql < "$1"
                echo "$@" >> \(migrate.directory)/arguments
                case $sql in
                ALTER*) echo '[{"file":"2_b.sql","line":0,"column":6,"level":"Warning","message":"Rewrites.","help":null,\
                "rule_name":"changing-column-type"}]'; exit 1;;
                *) echo '[]';;
                esac
                """, in: migrate.directory)
            let planned = try await migrate.run("plan", "--strict", environment: environment)
            #expect(planned.status == 7, "\(planned)")
            #expect(planned.output.contains("2_b.sql (one transaction"))
            #expect(planned.output.contains("    squawk: line 1: changing-column-type: Rewrites.\n"))
            let json = try await migrate.run("plan", "--format", "json", environment: environment)
            #expect(json.status == 0)
            let plan = try DeploymentPlan(json: Data(json.output.utf8))
            #expect(
                plan.files.map(\.findings) == [
                    [],
                    [SquawkFinding(rule: "changing-column-type", line: 1, column: 7, message: "Rewrites.", help: nil)],
                ])
            let arguments = try String(contentsOfFile: migrate.directory + "/arguments", encoding: .utf8)
            #expect(arguments.contains("/2_b.sql --reporter json"))
            #expect(arguments.contains("--assume-in-transaction"))
        }
    }

    @Test func aSquawkThatFailsIsTold() async throws {
        try await self.with { _, migrate in
            let environment = try self.fakeSquawk("echo broken; exit 2", in: migrate.directory)
            let planned = try await migrate.run("plan", environment: environment)
            #expect(planned.status == 0)
            #expect(planned.output.contains("note: squawk cannot be understood"))
        }
    }

    @Test func withoutSquawkThePlanSaysSo() async throws {
        try await self.with { _, migrate in
            let planned = try await migrate.run("plan", "--no-scratch", environment: ["PATH": migrate.directory])
            #expect(planned.status == 0, "\(planned)")
            #expect(planned.output.contains("note: squawk is not installed, so nothing was linted"))
            #expect(planned.output.contains("note: the files were not tried, so their locks are not known"))
        }
    }
}
