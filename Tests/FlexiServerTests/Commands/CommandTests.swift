import DigestAuth
import Foundation
import PGClient
import PGTesting
import Testing

@testable import FlexiServer

/// Runs the program itself, as an operator does.
@Suite("Command line")
struct CommandTests {
    @Test func aMissingSettingIsOneLine() async throws {
        let result = try await ServerProgram.run(["serve"], environment: [:])
        #expect(result.status == 1)
        #expect(result.error.hasPrefix("Error: FLEXI_SECRET_KEY is missing"))
        #expect(result.error.split(separator: "\n").count == 1)
    }

    @Test func aWrongArgumentIsAUsageError() async throws {
        for arguments in [
            ["serve", "--port", "70000"], ["serve", "--nope"], ["create-admin"], ["create-admin", "nobody"],
        ] {
            let result = try await ServerProgram.run(arguments, environment: [:])
            #expect(result.status == 64, "\(arguments)")
        }
    }

    @Test func anEmptyDatabaseIsRefused() async throws {
        try await withTestDatabase { database in
            let result = try await ServerProgram.run(
                ["serve", "--port", "0"], environment: ServerProgram.environment(database))
            #expect(result.status == 1)
            #expect(result.error == "Error: this database has no schema of FlexiServer yet: run `migrate up` first\n")
        }
    }

    @Test func aDatabaseThatCannotBeReachedIsOneLine() async throws {
        let result = try await ServerProgram.run(
            ["serve", "--port", "0"],
            environment: ["FLEXI_SECRET_KEY": TestServer.secretKey, "DATABASE_URL": "postgresql:///none?host=/nowhere"])
        #expect(result.status == 1)
        #expect(result.error.hasPrefix("Error: the database cannot be reached: connection to server on socket "))
        #expect(!result.error.contains("PGError"))
        #expect(result.error.split(separator: "\n").count == 1)
    }

    @Test func aServerDrainsOnSIGTERMAndExitsWithZero() async throws {
        try await withTestDatabase(template: TestTemplate.shared.name()) { database in
            let program = try ServerProgram.start(
                ["serve", "--port", "0"], environment: ServerProgram.environment(database))
            let port = try await program.port()
            // A request that has begun, and ends only after the signal.
            try await withThrowingTaskGroup(of: HTTPReply.self) { requests in
                try await DatabaseGate.withAccountsLocked(in: database) { gate in
                    requests.addTask {
                        try await HTTPWire(port: port).send("GET", "/api/accounts/nobody@sip.example.org/info")
                    }
                    try await gate.waitForStatement(with: "SELECT account.activated")
                    program.terminate()
                }
                let answer = try await requests.next()
                #expect(answer?.status == 404)
            }
            let result = await program.wait()
            #expect(result.status == 0, "\(result.error)")
        }
    }

    @Test func aRealmThatMakesPasswordsVoidIsReported() async throws {
        try await withTestDatabase(template: TestTemplate.shared.name()) { database in
            try await withServer(on: database, clock: TestClock()) { server in
                _ = try await server.account("alice", algorithms: [.md5, .sha256])
                _ = try await server.account("bobby", realm: "elsewhere")
            }
            let environment = ServerProgram.environment(database).merging(["ACCOUNT_REALM": "elsewhere"]) { $1 }
            let program = try ServerProgram.start(["serve", "--port", "0"], environment: environment)
            let count = try await program.find { log in
                log.firstMatch(of: #/"message":"passwords were made with another realm.*"passwords":"?(\d+)/#)?.output.1
            }
            #expect(count == "2")
            program.terminate()
            let result = await program.wait()
            #expect(result.status == 0)
        }
    }

    @Test func anAdministratorIsMadeAndPromoted() async throws {
        try await withTestDatabase(template: TestTemplate.shared.name()) { database in
            var environment = ServerProgram.environment(database)
            let made = try await ServerProgram.run(
                ["create-admin", "admin@sip.example.org"], environment: environment, input: "secret one\n")
            #expect(made.status == 0)
            #expect(made.output == "Created admin@sip.example.org, administrator (domain).\n")
            environment["FLEXI_ADMIN_PASSWORD"] = "secret two"
            let promoted = try await ServerProgram.run(
                ["create-admin", "--super", "sip:Admin@sip.example.org"], environment: environment)
            #expect(promoted.status == 0)
            #expect(promoted.output == "Promoted admin@sip.example.org, administrator (super).\n")
            let kept = try await ServerProgram.run(
                ["create-admin", "admin@sip.example.org"], environment: ServerProgram.environment(database))
            #expect(kept.status == 0)
            let none = try await ServerProgram.run(
                ["create-admin", "other@sip.example.org"], environment: ServerProgram.environment(database))
            #expect(none.status == 1)
            #expect(none.error == "Error: no password: set FLEXI_ADMIN_PASSWORD, or write it to standard input\n")

            try await withServer(on: database, clock: TestClock(at: Date())) { server in
                let admin = TestAccount(
                    id: .init(rawValue: 0), username: "admin", domain: "sip.example.org", password: "secret two")
                let digest = try await server.digest(admin).authorization("GET", "/api/accounts/me")
                let reply = try await server.get("/api/accounts/me", [admin.from, digest])
                #expect(reply.status == 200)
                #expect((reply.json["admin"] as? [String: Any])?["scope"] as? String == "super")
            }
        }
    }
}

@Suite("Schema fence")
struct SchemaFenceTests {
    /// What the ledger holds after one more file.
    private static func apply(_ version: Int64, breaksBefore: Int64? = nil) -> String {
        """
        INSERT INTO migrate.ledger (
            version, breaks_before, slug, kind, sha256, raw_sha256, state, role, session_role, application_name, tool_version,
            settings, xid, started_at, finished_at
        ) SELECT \(version), \(breaksBefore.map(String.init) ?? "NULL"), 'more', kind, sha256, raw_sha256, state, role, session_role,
            application_name, tool_version, settings, xid, started_at, finished_at
        FROM migrate.ledger WHERE version = \(SchemaFence.neededVersion)
        """
    }

    @Test func theNeededMigrationIsTheNewest() throws {
        #expect(try Migrations.newestVersion() == SchemaFence.neededVersion)
    }

    @Test(
        arguments: [
            (nil, nil),
            ("DELETE FROM migrate.ledger WHERE version = \(SchemaFence.neededVersion)", "run `migrate up` first"),
            (
                "UPDATE migrate.ledger SET state = 'failed' WHERE version = \(SchemaFence.neededVersion)",
                "run `migrate up` first"
            ),
            ("UPDATE migrate.ledger SET state = 'baseline'", nil),
            (Self.apply(SchemaFence.neededVersion + 1), nil),
            (Self.apply(SchemaFence.neededVersion + 1, breaksBefore: SchemaFence.neededVersion), nil),
            (Self.apply(SchemaFence.neededVersion + 2, breaksBefore: SchemaFence.neededVersion + 1), "migrate status"),
            ("DROP TABLE migrate.ledger CASCADE", "run `migrate up` first"),
            ("REVOKE SELECT ON migrate.ledger FROM flexi_app", "--set app_role"),
        ] as [(String?, String?)])
    func onlyAKnownSchemaIsServed(change: String?, complaint: String?) async throws {
        try await withTestDatabase(template: TestTemplate.shared.name()) { database in
            if let change { try await DatabaseOwner(database).run(change) }
            var configuration = database.configuration
            configuration.parameters["role"] = "flexi_app"
            let client = PGClient(configuration, logger: LogCapture().logger())
            var failure: CommandFailure?
            do {
                try await SchemaFence(client).check()
            } catch let error as CommandFailure {
                failure = error
            }
            #expect((failure == nil) == (complaint == nil), "\(String(describing: failure))")
            if let complaint { #expect(failure?.description.contains(complaint) == true) }
            #expect(failure?.description.contains("\n") != true)
        }
    }
}
