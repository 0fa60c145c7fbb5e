import Foundation
import PGClient
import Testing

@testable import FlexiServer

@Suite("Account creation tokens by push")
struct PushedTokensTests {
    private static let paths = ["/api/account_creation_tokens/send-by-push", "/api/tokens"]
    private static let path = paths[0]

    private static func device(_ id: String = "cAbc:APA91b") -> String {
        #"{"pn_provider":"fcm","pn_param":"project-1","pn_prid":"\#(id)"}"#
    }

    /// Lends a server with a pusher beside it, which does as `then` says.
    private static func withPusher(
        then: String = "exit 0", _ settings: [String: String] = [:],
        _ body: (TestServer, PusherProgram) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            let program = try PusherProgram(in: folder, then: then)
            try await withServer(
                settings.merging(["APP_FLEXISIP_PUSHER_PATH": program.path]) { given, _ in given }
            ) { server in
                try await body(server, program)
            }
        }
    }

    @Test(arguments: paths)
    func theTokenIsInThePushAloneAndMakesAnAccount(path: String) async throws {
        try await Self.withPusher { server, program in
            let reply = try await server.post(path, json: Self.device())
            #expect(reply.status == 200)
            #expect(reply.header("Content-Type") == "application/json")
            #expect(reply.text == "{}")
            let arguments = try program.arguments()
            #expect(
                arguments.dropLast() == [
                    "--pn-provider", "fcm", "--pn-param", "project-1", "--pn-prid", "cAbc:APA91b", "--customPayload",
                ])
            let payload = try #require(arguments.last?.wholeMatch(of: /\{"token":"([A-Za-z0-9]{13})"\}/))
            #expect(!server.log.lines.contains { $0.contains(payload.1) })

            let made = try await server.post(
                "/api/accounts/with-account-creation-token",
                json:
                    #"{"username":"carroll","password":"wonderland","algorithm":"SHA-256","account_creation_token":"\#(payload.1)"}"#
            )
            #expect(made.status == 200)
            #expect(made.json["domain"] as? String == "sip.example.org")
            // The token is used, so the device may have another one.
            #expect(try await server.post(path, json: Self.device()).status == 200)
        }
    }

    @Test func anUnusedTokenKeepsItsDeviceWaitingForAnHour() async throws {
        try await Self.withPusher { server, _ in
            #expect(try await server.post(Self.path, json: Self.device()).status == 200)
            let again = try await server.post(Self.path, json: Self.device())
            #expect(again.status == 403)
            #expect(again.text == #"{"message":"A token was sent to this device already."}"#)
            #expect(try await server.post(Self.path, json: Self.device("another")).status == 200)
            server.clock.advance(by: .seconds(60 * 60 - 1))
            #expect(try await server.post(Self.path, json: Self.device()).status == 403)
            server.clock.advance(by: .seconds(1))
            #expect(try await server.post(Self.path, json: Self.device()).status == 200)
        }
    }

    @Test func aDeviceGetsFourTokensInThirtyDays() async throws {
        try await Self.withPusher { server, _ in
            for _ in 0..<4 {
                #expect(try await server.post(Self.path, json: Self.device()).status == 200)
                server.clock.advance(by: .seconds(60 * 60))
            }
            let fifth = try await server.post(Self.path, json: Self.device())
            #expect(fifth.status == 403)
            #expect(fifth.text == #"{"message":"This device has been sent as many tokens as it may."}"#)
            server.clock.advance(by: .seconds((30 * 24 - 4) * 3_600))
            #expect(try await server.post(Self.path, json: Self.device()).status == 200)
        }
    }

    @Test func aNetworkGetsSoManyAMinute() async throws {
        try await Self.withPusher(["RATE_LIMIT_PUSH_PER_MINUTE": "2"]) { server, _ in
            for number in 0..<2 {
                #expect(try await server.post(Self.path, json: Self.device("device-\(number)")).status == 200)
            }
            let third = try await server.post(Self.path, json: Self.device("device-3"))
            #expect(third.status == 429)
            #expect(third.header("Retry-After") == "30")
            #expect(try await server.count("account_creation_tokens") == 2)
        }
    }

    @Test func ofSeveralRequestsAtOnceOneSends() async throws {
        try await Self.withPusher { server, _ in
            let statuses = try await race(16) { _ in try await server.post(Self.path, json: Self.device()).status }
            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 403 }.count == 15)
            #expect(try await server.count("account_creation_tokens") == 1)
        }
    }

    @Test(
        arguments: ["pn_provider", "pn_param", "pn_prid"],
        [
            "a b", "a'b", #"a\"b"#, "$(touch /tmp/hurt)", "`id`", #"a\nb"#, #"a\r\nb"#, "a;b", "a|b", "--key", "-a",
            "a/../b",
            #"a\\b"#, "é", #"a\u0000"#,
        ])
    func valuesThatCouldHurtAreRefused(field: String, value: String) async throws {
        try await Self.withPusher { server, program in
            let json = ["pn_provider", "pn_param", "pn_prid"].map { name in
                #""\#(name)":"\#(name == field ? value : "apns")""#
            }.joined(separator: ",")
            let reply = try await server.post(Self.path, json: "{\(json)}")
            #expect(reply.status == 422)
            #expect((reply.json["errors"] as? [String: Any])?.keys.sorted() == [field])
            #expect(!program.wasRun)
            #expect(try await server.count("account_creation_tokens") == 0)
        }
    }

    @Test func everyMissingFieldIsNamed() async throws {
        try await Self.withPusher { server, _ in
            let reply = try await server.post(Self.path)
            #expect(reply.status == 422)
            for field in ["pn_provider", "pn_param", "pn_prid"] { #expect(reply.errors(field)?.count == 1) }
        }
    }

    @Test(arguments: ["exit 1", "kill -9 $$", "exec sleep 600"])
    func whatWasNotSentIsNotKept(then: String) async throws {
        try await Self.withPusher(then: then, ["NEIGHBOUR_TIMEOUT_SECONDS": then.contains("sleep") ? "1" : "60"]) {
            server, _ in
            let reply = try await server.post(Self.path, json: Self.device())
            #expect(reply.status == 503)
            #expect(reply.text == #"{"message":"The push notification could not be sent; try again later."}"#)
            #expect(try await server.count("account_creation_tokens") == 0)
            #expect(server.log.events("neighbour failed").count == 1)
        }
    }

    @Test func withoutAPusherTheRoutesAreThereAndUnavailable() async throws {
        try await withServer { server in
            for path in Self.paths {
                let reply = try await server.post(path, json: Self.device())
                #expect(reply.status == 503)
                #expect(reply.text == #"{"message":"This server cannot send push notifications."}"#)
            }
            #expect(try await server.count("account_creation_tokens") == 0)
        }
    }

    @Test(arguments: ["suspended = true", "registration_open = false"])
    func aDomainThatTakesNobodyGetsNoTokens(change: String) async throws {
        try await Self.withPusher { server, program in
            _ = try await DomainRepository(server.services.database).register(server.services.configuration.sipDomain)
            try await DatabaseOwner(server.database).run("UPDATE flexi.domains SET \(change)")
            #expect(try await server.post(Self.path, json: Self.device()).status == 403)
            #expect(!program.wasRun)
        }
    }

    @Test func othersAreAnsweredWhileThePusherRuns() async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "open").path
            // Until the file is there.
            try await Self.withPusher(
                then: "while [ ! -e '\(file)' ]; do sleep 0.05; done", ["NEIGHBOUR_TIMEOUT_SECONDS": "60"]
            ) { server, program in
                let key = try await ("x-api-key", server.apiKey(of: server.account("alice")))
                try await withThrowingTaskGroup(of: Int.self) { slow in
                    for number in 0..<12 {
                        slow.addTask { try await server.post(Self.path, json: Self.device("device-\(number)")).status }
                    }
                    try await until { program.wasRun }
                    for status in try await race(40, { _ in try await server.get("/api/accounts/me", [key]).status }) {
                        #expect(status == 200)
                    }
                    #expect(try await server.count("account_creation_tokens") > 0)
                    #expect(server.log.events("account creation token pushed").isEmpty)
                    try Data().write(to: URL(filePath: file))
                    for try await status in slow { #expect(status == 200) }
                }
            }
        }
    }

    @Test(arguments: ["force_custom_plan", "force_generic_plan"])
    func aDevicesHistoryIsOneRangeOfAnIndex(planMode: String) async throws {
        try await withServer { server in
            try await server.services.database.execute(
                """
                WITH domain AS (INSERT INTO flexi.domains (name) VALUES ('sip.example.org') RETURNING id)
                INSERT INTO flexi.account_creation_tokens (domain_id, token_hash, pn_provider, pn_param, pn_prid, created_at)
                SELECT domain.id, sha256(n::text::bytea), 'fcm', 'project-1', 'device-' || n / 4, \(server.clock.now)
                FROM generate_series(1, 20000) AS n, domain
                """)
            try await DatabaseOwner(server.database).vacuum("account_creation_tokens")
            let device = try #require(PushDevice(provider: .firebase, parameter: "project-1", resourceID: "device-7"))
            let plan = try await server.services.database.withTransaction { transaction in
                try await transaction.execute(PGQuery(unsafeSQL: "SET LOCAL plan_cache_mode = \(planMode)"))
                let query = PushedTokenRepository.history(of: device, at: server.clock.now)
                return try await transaction.query("EXPLAIN \(query)").map { row in try row.decode(String.self) }
            }.joined(separator: "\n")
            #expect(plan.contains("account_creation_tokens_pn_idx"), "\(plan)")
            #expect(!plan.contains("Seq Scan"), "\(plan)")
        }
    }
}
