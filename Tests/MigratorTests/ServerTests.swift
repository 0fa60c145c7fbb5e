import Foundation
import Glibc
import PGClient
import PGTesting
import Testing

@testable import Migrator

@Suite(.timeLimit(.minutes(10)))
struct ServerTests {
    @Test func aPoolerIsRefusedWithTheWayOut() async throws {
        try await Scratch.with { scratch in
            try await withTransactionPooler(to: scratch.database.configuration) { pooled in
                try await MigrateProgram.with(conninfo: pooled.conninfo(replacing: [:])) { migrate in
                    try migrate.write("0001_a.sql", "CREATE TABLE a ()")
                    for command in [["up"], ["status"], ["wait", "--applied"]] {
                        let result = try await migrate.start(command[0], Array(command.dropFirst())).wait()
                        #expect(result.status == 1)
                        #expect(result.error.contains("a pooler between migrate and the server"), "\(result)")
                        #expect(result.error.contains("MIGRATE_DATABASE_URL"))
                    }
                    let doctor = try await migrate.run("doctor")
                    #expect(doctor.status == 1)
                    #expect(doctor.output.contains("problem  there is a pooler"))
                    let direct = try await migrate.run(
                        "up", environment: ["MIGRATE_DATABASE_URL": scratch.database.conninfo])
                    #expect(direct.status == 0, "\(direct)")
                }
            }
        }
    }

    @Test func waitWaitsForAServerThatIsNotThereAndThenRecovers() async throws {
        try await withTemporaryServer { server in
            try server.allow("local all guarded scram-sha-256")
            try await MigrateProgram.with(conninfo: server.conninfo) { migrate in
                try migrate.write("0001_a.sql", "CREATE TABLE a ()")
                let waiting = try migrate.start("wait", ["--timeout", "10m"])
                _ = try await waiting.find(in: .output) { $0.contains("waiting for the server: ") ? true : nil }
                try server.start(asStandby: true)
                _ = try await waiting.find(in: .output) { $0.contains("is a standby, or recovers") ? true : nil }

                let refused = try await migrate.run("up")
                #expect(refused.status == 1)
                #expect(refused.error.contains("this server is a standby"))
                #expect(refused.error.contains("target_session_attrs=primary"))
                #expect(try await migrate.run("status").status == 3)
                let doctor = try await migrate.run("doctor")
                #expect(doctor.output.contains("problem  this server is a standby"), "\(doctor)")
                #expect(try await migrate.run("wait", "--timeout", "0").status == 6)

                try await self.promote(server)
                #expect(await waiting.wait().status == 0)
                #expect(try await migrate.run("up").status == 0)
                #expect(try await migrate.run("wait", "--applied", "--timeout", "0").status == 0)
                let guarded = try await migrate.run(
                    "wait", "--timeout", "10m",
                    environment: ["DATABASE_URL": server.conninfo + " user='guarded' password='wrong'"])
                #expect(guarded.status == 1)
                #expect(guarded.error.contains("28P01"))
            }
        }
    }

    private func promote(_ server: TemporaryServer) async throws {
        try await PGConnection.withConnection(PGConfiguration(server.conninfo), logger: Scratch.logger) { connection in
            try await connection.query("SELECT pg_promote()")
            try await connection.query("CREATE ROLE guarded LOGIN PASSWORD 'right'")
        }
    }

    @Test func aServerThatCrashesInTheMiddleOfAFileIsBroughtOnByTheNextRun() async throws {
        try await withTemporaryServer { server in
            try server.start()
            try await MigrateProgram.with(conninfo: server.conninfo) { migrate in
                #expect(try await migrate.run("wait", "--timeout", "2m").status == 0)
                let patience = "SELECT pg_sleep(current_setting('migrate.patience')::int);\n"
                try migrate.write("0001_a.sql", "CREATE TABLE a (b int);")
                try migrate.write("0002_b.sql", "CREATE TABLE b ();\n" + patience)
                try migrate.write(
                    "0003_c.sql",
                    "-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY a_b ON a (b);\n" + patience
                        + "CREATE TABLE c ();\n")
                for (file, patience) in [("0002", "3600"), ("0003", "3600")] {
                    let options = ["--to", file, "--set", "patience=\(patience)"]
                    let program = try migrate.start("up", options)
                    try await self.waitForSleep(server)
                    try await server.crash()
                    let crashed = await program.wait()
                    #expect(crashed.status == 1, "\(crashed)")
                    try server.start()
                    let resumed = try await migrate.run("up", "--to", file, "--set", "patience=0", "--wait", "2m")
                    #expect(resumed.status == 0, "\(resumed)")
                }
                try await PGConnection.withConnection(PGConfiguration(server.conninfo), logger: Scratch.logger) {
                    connection in
                    let rows = try await connection.query("SELECT version, state FROM migrate.ledger ORDER BY id")
                    #expect(try rows.map { try $0.decode("version", as: Int64.self) } == [1, 2, 3])
                    #expect(
                        try rows.map { try $0.decode("state", as: String.self) } == ["applied", "applied", "applied"])
                }
            }
        }
    }

    private func waitForSleep(_ server: TemporaryServer) async throws {
        try await PGConnection.withConnection(PGConfiguration(server.conninfo), logger: Scratch.logger) { connection in
            while try await connection.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'").isEmpty {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }
}
