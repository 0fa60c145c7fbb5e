import PGClient
import Testing

@testable import FlexiServer

@Suite("domain")
struct DomainCommandTests {
    private func run(_ server: TestServer, _ arguments: String...) async throws -> ServerProgram.Result {
        try await ServerProgram.run(
            ["domain"] + arguments, environment: ServerProgram.environment(server.database))
    }

    @Test func aDomainIsAddedListedAndRemoved() async throws {
        try await withServer { server in
            _ = try await server.account()
            #expect(
                try await self.run(server, "add", "Other.example.org").output == "other.example.org is registered.\n")
            #expect(
                try await self.run(server, "list").output
                    == "other.example.org\tserved\t0\nsip.example.org\tserved\t1\n")
            #expect(
                try await self.run(server, "remove", "other.example.org").output == "other.example.org is removed.\n")
            #expect(try await self.run(server, "list").output == "sip.example.org\tserved\t1\n")
        }
    }

    @Test func aSuspendedDomainLetsNobodyInUntilItIsResumed() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let key = try await server.apiKey(of: alice)
            #expect(try await self.run(server, "suspend", "sip.example.org").status == 0)
            #expect(try await server.get("/api/accounts/me", [alice.from, ("x-api-key", key)]).status == 401)
            #expect(try await self.run(server, "list").output == "sip.example.org\tsuspended\t1\n")
            #expect(try await self.run(server, "resume", "sip.example.org").status == 0)
            #expect(try await server.get("/api/accounts/me", [("x-api-key", key)]).status == 200)
        }
    }

    @Test func inAClosedDomainOnlyAnAdministratorsTokenMakesAccounts() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            #expect(try await self.run(server, "close", "sip.example.org").output == "sip.example.org is closed.\n")
            #expect(try await self.run(server, "list").output == "sip.example.org\tclosed\t1\n")
            var tokens: [String] = []
            for _ in 1...2 {
                let token = try await server.post("/api/account_creation_tokens", [admin]).json["token"] as? String
                tokens.append(try #require(token))
            }
            try await server.services.database.execute(
                """
                UPDATE flexi.account_creation_tokens SET pn_provider = 'apns', pn_param = 'x', pn_prid = 'y'
                WHERE id = (SELECT max(id) FROM flexi.account_creation_tokens)
                """)
            func register(_ name: String, _ token: String) async throws -> HTTPReply {
                try await server.post(
                    "/api/accounts/with-token",
                    json: #"{"username":"\#(name)","password":"wonderland","algorithm":"MD5","token":"\#(token)"}"#)
            }
            let invited = try await register("invited", tokens[0])
            #expect(invited.status == 200)
            let refused = try await register("stranger", tokens[1])
            #expect(refused.status == 403)
            #expect(refused.json["message"] as? String == "Registration is closed in this domain.")
            #expect(try await self.run(server, "open", "sip.example.org").output == "sip.example.org is served.\n")
            let again = try await register("stranger", tokens[1])
            #expect(again.status == 200, "a refusal leaves the token unused")
        }
    }

    @Test func whatCannotBeIsRefused() async throws {
        try await withServer { server in
            _ = try await server.account()
            let full = try await self.run(server, "remove", "sip.example.org")
            #expect(full.status == 1)
            #expect(full.error == "Error: sip.example.org has accounts: delete them first\n")
            for command in ["suspend", "resume", "close", "open", "remove"] {
                let unknown = try await self.run(server, command, "nowhere.example.org")
                #expect(unknown.status == 1)
                #expect(unknown.error == "Error: the domain nowhere.example.org is not registered\n")
            }
            #expect(try await self.run(server, "add", "no domain").status == 64)
            #expect(try await server.count("accounts") == 1)
        }
    }
}
