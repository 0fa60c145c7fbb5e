import Foundation
import Glibc
import PGClient
import PGTesting
import Testing

@testable import Migrator

@Suite(.timeLimit(.minutes(10)))
struct ProgramTests {
    private func expect(
        _ result: TestProgram.Result, _ kind: MigrationFailure.Kind?, _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(result.status == kind?.rawValue ?? 0, "\(result)", sourceLocation: location)
    }

    @Test func pendingFilesAreTheStatusThreeUntilTheyAreApplied() async throws {
        try await Scratch.with { scratch in
            try await MigrateProgram.with(scratch) { migrate in
                try migrate.write("0001_a.sql", "CREATE TABLE a ()")
                self.expect(try await migrate.run("status"), .pending)
                let dry = try await migrate.run("up", "--dry-run")
                self.expect(dry, nil)
                #expect(dry.output == "pending 0001_a.sql\n")
                #expect(try await scratch.values("SELECT to_regclass('migrate.ledger')") == [nil])
                let up = try await migrate.run("up")
                self.expect(up, nil)
                #expect(up.output.contains(#/^applied 0001_a.sql \(\d+ ms\)\n1 applied.\n$/#))
                self.expect(try await migrate.run("status"), nil)
                #expect(try await migrate.run("up").output == "Nothing is pending.\n")
            }
        }
    }

    @Test func aFailureIsTheStatusOneAndShownAsCompilersDo() async throws {
        try await Scratch.with { scratch in
            try await MigrateProgram.with(scratch) { migrate in
                let lines = (1...56).map { "-- \($0): é漢🙂" }.joined(separator: "\r\n")
                try migrate.write("0001_a.sql", lines + "\r\nSELECT 'é漢🙂', nonsense;\r\n")
                let result = try await migrate.run("up")
                self.expect(result, .failed)
                #expect(
                    result.error == """
                        0001_a.sql:57:15: error: column "nonsense" does not exist (SQLSTATE 42703)
                        SELECT 'é漢🙂', nonsense;
                                        ^

                        """)
                let event = try #require(try await migrate.run("up", "--format", "json").events().last)
                #expect(event["event"] as? String == "failed")
                #expect(event["line"] as? Int == 57)
                #expect(event["column"] as? Int == 15)
                #expect(event["sqlState"] as? String == "42703")
                #expect(event["exitCode"] as? Int == 1)
            }
        }
    }

    @Test(arguments: [
        ["up", "--nonsense"], ["up", "--to", "7"], ["up", "--lock-wait", "soon"], ["down"], ["down", "--to", "9"],
        ["baseline", "9"], ["create", "a b"], ["create", "a", "--timestamp", "--repeatable"], ["nonsense"],
        ["up", "--database-url", "postgresql://a:secret@localhost/b"], ["script", "--from", "9"],
        ["up", "--database-url", "postgresql://a:secret?@/b"],
        ["up", "--database-url", "postgresql:///b?pass%77ord=secret"],
        ["up", "--database-url", "host='a'password=secret"], ["verify", "--scratch-url", "postgres://a:se?secret@/b"],
        ["repair", "--done", "9"],
    ])
    func wrongUsageIsTheStatusTwo(_ arguments: [String]) async throws {
        try await Scratch.with { scratch in
            try await MigrateProgram.with(scratch) { migrate in
                let result = try await migrate.start(arguments[0], Array(arguments.dropFirst())).wait()
                self.expect(result, .usage)
                #expect(!result.error.isEmpty)
                #expect(!result.error.contains("secret"))
            }
        }
    }

    @Test func aDirectoryThatIsNotThereIsWrongUsage() async throws {
        let result = try await TestProgram("migrate", ["up", "--directory", "/nonexistent"], environment: [:]).wait()
        self.expect(result, .usage)
    }

    /// What the system says is said on: that a directory cannot be read need not mean that it is the wrong one.
    @Test func whyAFileCannotBeReadIsSaid() async throws {
        try await MigrateProgram.with(conninfo: "") { migrate in
            let loop = migrate.directory + "/loop"
            try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
            let unreadable = try await TestProgram("migrate", ["up", "--directory", loop], environment: [:]).wait()
            self.expect(unreadable, .failed)
            #expect(
                unreadable.error.contains("the directory \(loop) cannot be read: Too many levels of symbolic links"))
            #expect(!unreadable.error.contains("--directory."))

            try FileManager.default.createDirectory(
                atPath: migrate.directory + "/0001_a.sql", withIntermediateDirectories: false)
            let noFile = try await migrate.run("up")
            self.expect(noFile, .failed)
            #expect(noFile.error.contains("/0001_a.sql cannot be read: Is a directory"))
        }
    }

    @Test func filesThatContradictTheLedgerAreTheStatusFour() async throws {
        try await Scratch.with { scratch in
            try await MigrateProgram.with(scratch) { migrate in
                try migrate.write("0001_a.sql", "CREATE TABLE a ();\n")
                _ = try await migrate.run("up")
                self.expect(try await migrate.run("verify"), nil)
                try migrate.write("0001_a.sql", "CREATE TABLE a ();\r\n")
                let reformatted = try await migrate.run("verify")
                self.expect(reformatted, nil)
                #expect(reformatted.output.contains("0001_a.sql has other line ends"))
                try migrate.write("0001_a.sql", "CREATE TABLE a (b int);\n")
                for command in ["verify", "up", "status", "repair"] {
                    self.expect(try await migrate.run(command), .drift)
                }
                let document = try #require(try await migrate.run("verify", "--format", "json").events().first)
                let problems = try #require(document["problems"] as? [[String: Any]])
                #expect(problems.map { $0["kind"] as? String } == ["changed"])
            }
        }
    }

    @Test func aLockThatIsNotFreeInTimeIsTheStatusFive() async throws {
        try await Scratch.with { scratch in
            try await MigrateProgram.with(scratch) { migrate in
                try migrate.write("0001_a.sql", "CREATE TABLE a ()")
                try await RunLock(scratch.connection).acquire(within: .zero) { _ in }
                let result = try await migrate.run("up", "--lock-wait", "0")
                self.expect(result, .lockWait)
                #expect(result.error.contains("pid \(scratch.connection.backendPID)"))
            }
        }
    }

    @Test func aServerThatIsNotThereIsTheStatusSix() async throws {
        try await MigrateProgram.with(conninfo: "host=/nonexistent") { migrate in
            for command in ["up", "status", "verify", "doctor"] {
                self.expect(try await migrate.run(command), .unreachable)
            }
            self.expect(try await migrate.run("wait", "--timeout", "100ms"), .unreachable)
        }
    }

    @Test func aWrongPasswordOrDatabaseIsNotWaitedFor() async throws {
        try await Scratch.with { scratch in
            try await MigrateProgram.with(conninfo: scratch.database.conninfo + " dbname=gone") { migrate in
                let result = try await migrate.run("wait", "--timeout", "1h")
                self.expect(result, .failed)
                #expect(result.error.contains("3D000"))
            }
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func aSignalUndoesTheFileAndIsTheStatusEight(_ signal: Int32) async throws {
        try await Scratch.with { scratch in
            try await MigrateProgram.with(scratch) { migrate in
                try migrate.write("0001_a.sql", "CREATE TABLE a ()")
                try migrate.write("0002_b.sql", "CREATE TABLE b ();\nSELECT pg_sleep(3600)")
                let program = try migrate.start("up")
                try await scratch.waitForSleep()
                let start = ContinuousClock.now
                program.send(signal)
                let result = await program.wait()
                // Two seconds is what people are promised; here others compete for the processor.
                #expect(ContinuousClock.now - start < .seconds(20))
                self.expect(result, .interrupted)
                #expect(result.error.contains("0002_b.sql was rolled back"))
                #expect(try await scratch.values("SELECT version FROM migrate.ledger") == ["1"])
                #expect(try await scratch.values("SELECT to_regclass('b')") == [nil])
            }
        }
    }

    @Test func whatWaitsSaysOnlyThatItWasInterrupted() async throws {
        try await Scratch.with { scratch in
            try await MigrateProgram.with(scratch) { migrate in
                try migrate.write("0001_a.sql", "CREATE TABLE a ()")
                try await RunLock(scratch.connection).acquire(within: .zero) { _ in }
                let program = try migrate.start("up")
                _ = try await program.find(in: .output) { $0.contains("waiting") ? true : nil }
                program.terminate()
                let result = await program.wait()
                self.expect(result, .interrupted)
                #expect(result.error == "error: interrupted\n")
            }
        }
        try await MigrateProgram.with(conninfo: "host=/nonexistent") { migrate in
            let program = try migrate.start("wait", ["--timeout", "1h"])
            _ = try await program.find(in: .output) { $0.contains("waiting") ? true : nil }
            program.terminate()
            let result = await program.wait()
            self.expect(result, .interrupted)
            #expect(result.error == "error: interrupted\n")
        }
    }

    @Test func afterAKillTheNextRunGoesOn() async throws {
        try await Scratch.with { scratch in
            try await MigrateProgram.with(scratch) { migrate in
                try migrate.write("0001_a.sql", "CREATE TABLE a ()")
                try migrate.write(
                    "0002_b.sql",
                    "CREATE TABLE b ();\nSELECT pg_sleep(CASE current_setting('migrate.patient', true) WHEN '' THEN 0 ELSE 3600 END)"
                )
                try migrate.write("0003_c.sql", "CREATE TABLE c ()")
                let program = try migrate.start("up", ["--set", "patient=1"])
                try await scratch.waitForSleep()
                program.send(SIGKILL)
                #expect(await program.wait().status == SIGKILL)
                self.expect(try await migrate.run("up", "--set", "patient="), nil)
                #expect(try await scratch.values("SELECT version FROM migrate.ledger ORDER BY id") == ["1", "2", "3"])
            }
        }
    }

    @Test func statusAnswersWhileAMigrationRunsAndNamesItsFile() async throws {
        try await Scratch.with { scratch in
            try await MigrateProgram.with(scratch) { migrate in
                try migrate.write("0001_a.sql", "CREATE TABLE a ();\nSELECT pg_sleep(3600)")
                let program = try migrate.start("up")
                try await scratch.waitForSleep()
                let status = try await migrate.run("status")
                self.expect(status, .pending)
                #expect(status.output.contains("migrate: 0001_a.sql"))
                let document = try #require(try await migrate.run("status", "--format", "json").events().first)
                #expect((document["run"] as? [String: Any])?["applicationName"] as? String == "migrate: 0001_a.sql")
                program.terminate()
                self.expect(await program.wait(), .interrupted)
            }
        }
    }

    @Test func downAsksAndWithoutSomebodyToAskDoesNothing() async throws {
        try await Scratch.with { scratch in
            try await MigrateProgram.with(scratch) { migrate in
                try migrate.write("0001_a.sql", "CREATE TABLE a ();\n-- migrate:down\nDROP TABLE a;\n")
                _ = try await migrate.run("up")
                let asked = try await migrate.run("down", "--to", "0")
                self.expect(asked, .usage)
                #expect(asked.output == "would undo 0001_a.sql\n")
                let undone = try await migrate.run("down", "--to", "0", "--yes")
                self.expect(undone, nil)
                #expect(undone.output.hasSuffix("1 undone.\n"))
                #expect(try await scratch.values("SELECT to_regclass('a')") == [nil])
            }
        }
    }

    @Test func everyEventOfJSONHasNameAndTime() async throws {
        try await Scratch.with { scratch in
            try await MigrateProgram.with(scratch) { migrate in
                try migrate.write("0001_a.sql", "DO $$ BEGIN RAISE NOTICE 'hello'; END $$")
                let events = try await migrate.run("up", "--format", "json").events()
                #expect(events.map { $0["event"] as? String } == ["applying", "notice", "applied", "done"])
                for event in events { #expect(event["time"] is String) }
                #expect(events[2]["milliseconds"] is Int)
                #expect(events[1]["message"] as? String == "hello")
            }
        }
    }

    @Test func everyCommandHasHelp() async throws {
        let commands = ["up", "down", "status", "verify", "script", "baseline", "repair", "create", "wait", "doctor"]
        let overview = try await TestProgram("migrate", ["--help"], environment: [:]).wait()
        self.expect(overview, nil)
        for command in commands {
            #expect(overview.output.contains("  \(command) "), "\(command)")
            let help = try await TestProgram("migrate", [command, "--help"], environment: [:]).wait()
            self.expect(help, nil)
            #expect(help.output.count > 800, "\(command)")
        }
    }

    @Test func createNumbersOn() async throws {
        try await MigrateProgram.with(conninfo: "host=/nonexistent") { migrate in
            #expect(try await migrate.run("create", "first").output == migrate.directory + "/0001_first.sql\n")
            #expect(
                try await migrate.run("create", "second", "--no-transaction").output.hasSuffix("/0002_second.sql\n"))
            let second = try String(contentsOfFile: migrate.directory + "/0002_second.sql", encoding: .utf8)
            #expect(second.hasPrefix("-- migrate:no-transaction\n"))
            #expect(try await migrate.run("create", "views", "--repeatable").output.hasSuffix("/R__views.sql\n"))
            self.expect(try await migrate.run("create", "views", "--repeatable"), .failed)
            #expect(try await migrate.run("create", "now", "--timestamp").output.contains(#/\/20\d{12}_now.sql\n$/#))
            #expect(try await migrate.run("create", "later").output.contains(#/\/20\d{12}_later.sql\n$/#))
        }
    }
}
