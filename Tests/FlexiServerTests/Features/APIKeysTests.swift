import FoundationEssentials
import PGClient
import Testing

@testable import FlexiServer

@Suite("API keys")
struct APIKeysTests {
    @Test(arguments: ["GET", "POST"])
    func aNewKeyTakesThePlaceOfTheOldOne(method: String) async throws {
        try await withServer(["APP_URL": "https://flexi.example.org"]) { server in
            let alice = try await server.account()
            let old = try await server.apiKey(of: alice)
            let named = try await server.apiKey(of: alice, name: "billing")
            let reply = try await server.send(method, "/api/accounts/me/api_key", [("x-api-key", old)])
            #expect(reply.status == 200)
            #expect(reply.header("Content-Type") == "text/plain; charset=utf-8")
            #expect(reply.header("Cache-Control") == "no-store")
            let new = reply.text
            #expect(new.wholeMatch(of: /[A-Za-z0-9]{40}/) != nil)
            #expect(
                reply.header("Set-Cookie")
                    == "x-api-key=\(new); Max-Age=3600; Path=/; HttpOnly; SameSite=Strict; Secure")
            #expect(try await server.get("/api/accounts/me", [("x-api-key", old)]).status == 422)
            #expect(try await server.get("/api/accounts/me", [alice.from, ("x-api-key", old)]).status == 401)
            for key in [new, named] {
                #expect(try await server.get("/api/accounts/me", [("x-api-key", key)]).status == 200)
            }
        }
    }

    @Test func onlyTheHashOfAKeyIsStored() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let key = try await server.post("/api/accounts/me/api_key", [("x-api-key", server.apiKey(of: alice))]).text
            let rows = try await server.services.database.query(
                "SELECT row_to_json(k)::text AS text FROM flexi.api_keys AS k")
            #expect(try rows.allSatisfy { try !$0.decode("text", as: String.self).contains(key) })
            #expect(!server.log.lines.contains { $0.contains(key) })
        }
    }

    @Test func askingByHeadChangesNothing() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let key = try await server.apiKey(of: alice)
            #expect(try await server.send("HEAD", "/api/accounts/me/api_key", [("x-api-key", key)]).status == 405)
            #expect(try await server.get("/api/accounts/me", [("x-api-key", key)]).status == 200)
        }
    }

    @Test func racingReplacementsLeaveOneKey() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let named = try await server.apiKey(of: alice, name: "racer")
            let keys = try await race(16) { _ in
                try await server.post("/api/accounts/me/api_key", [("x-api-key", named)]).text
            }
            var working = 0
            for key in Set(keys) where try await server.get("/api/accounts/me", [("x-api-key", key)]).status == 200 {
                working += 1
            }
            #expect(Set(keys).count == 16)
            #expect(working == 1)
        }
    }
}
