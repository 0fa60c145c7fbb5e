import Foundation
import PGClient
import Testing

@testable import FlexiServer

@Suite("create-key")
struct CreateKeyTests {
    private func run(_ server: TestServer, _ arguments: String...) async throws -> ServerProgram.Result {
        try await ServerProgram.run(
            ["create-key"] + arguments, environment: ServerProgram.environment(server.database))
    }

    @Test func theKeyIsPrintedOnceAndOpensTheAccount() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let own = try await server.apiKey(of: alice)
            let result = try await self.run(server, alice.address, "--name", "billing")
            #expect(result.status == 0)
            let key = result.output.trimmingCharacters(in: .newlines)
            #expect(key.wholeMatch(of: /[A-Za-z0-9]{40}/) != nil)
            for key in [key, own] {
                #expect(try await server.get("/api/accounts/me", [("x-api-key", key)]).status == 200)
            }
            _ = try await server.post("/api/accounts/me/api_key", [("x-api-key", own)])
            #expect(try await server.get("/api/accounts/me", [("x-api-key", key)]).status == 200)

            let again = try await self.run(server, alice.address, "--name", "billing")
            #expect(again.status == 1)
            #expect(again.error == "Error: alice@sip.example.org has a key of this name already\n")
        }
    }

    @Test func theKeyOpensNothingFromItsLastDayOn() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let result = try await self.run(server, alice.address, "--name", "billing", "--expires", "2999-01-01")
            #expect(result.status == 0)
            let expiresAt = try await server.services.database.query("SELECT expires_at FROM flexi.api_keys")[0].decode(
                Date.self)
            #expect(TimeText.plain(expiresAt) == "2999-01-01 00:00:00")
        }
    }

    @Test func whatCannotBeIsRefused() async throws {
        try await withServer { server in
            let alice = try await server.account()
            for (arguments, status) in [
                ([alice.address], Int32(64)), ([alice.address, "--name", ""], 64), (["alice", "--name", "x"], 64),
                ([alice.address, "--name", "x", "--expires", "2027-02-30"], 64),
                ([alice.address, "--name", "x", "--expires", "2001-01-01"], 1),
                (["nobody@sip.example.org", "--name", "x"], 1),
            ] {
                let result = try await ServerProgram.run(
                    ["create-key"] + arguments, environment: ServerProgram.environment(server.database))
                #expect(result.status == status, "\(arguments)")
            }
            #expect(try await server.count("api_keys") == 0)
        }
    }
}
