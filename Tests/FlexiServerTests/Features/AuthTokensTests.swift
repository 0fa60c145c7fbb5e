import Foundation
import PGClient
import Testing

@testable import FlexiServer

@Suite("Auth tokens")
struct AuthTokensTests {
    private func newToken(_ server: TestServer) async throws -> String {
        let reply = try await server.post("/api/accounts/auth_token")
        #expect(reply.status == 201)
        let match = try #require(
            reply.text.wholeMatch(
                of: /\{"token":"([A-Za-z0-9]{32})","updated_at":"[^"]+","created_at":"[^"]+","id":[0-9]+\}/))
        return String(match.1)
    }

    @Test(arguments: ["GET", "POST"])
    func anAttachedTokenIsExchangedForAnAPIKeyOnce(method: String) async throws {
        try await withServer { server in
            let alice = try await server.account()
            let old = try await server.apiKey(of: alice)
            let token = try await self.newToken(server)
            let target = "/api/accounts/me/api_key/\(token)"
            #expect(try await server.send(method, target).status == 404, "attached to nobody yet")
            let attached = try await server.send(
                method, "/api/accounts/auth_token/\(token)/attach", [("x-api-key", old)])
            #expect(attached.status == 200)
            #expect(attached.text == "{}")

            let reply = try await server.send(method, target)
            #expect(reply.status == 200)
            #expect(reply.header("Content-Type") == "application/json")
            #expect(reply.header("Cache-Control") == "no-store")
            let key = try #require(reply.text.wholeMatch(of: /\{"api_key":"([A-Za-z0-9]{40})"\}/)).1
            #expect(reply.header("Set-Cookie") == "x-api-key=\(key); Max-Age=3600; Path=/; HttpOnly; SameSite=Strict")
            #expect(try await server.get("/api/accounts/me", [("x-api-key", String(key))]).status == 200)
            #expect(try await server.get("/api/accounts/me", [alice.from, ("x-api-key", old)]).status == 401)
            #expect(try await server.send(method, target).status == 404)
            #expect(!server.log.lines.contains { $0.contains(token) || $0.contains(key) })
        }
    }

    @Test func anAttachedTokenProvisionsOnce() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let token = try await self.newToken(server)
            let target = "/provisioning/auth_token/\(token)"
            #expect(try await server.get(target).status == 404)
            _ = try await server.post(
                "/api/accounts/auth_token/\(token)/attach", [("x-api-key", server.apiKey(of: alice))])
            #expect(try await server.send("HEAD", target).status == 405)
            let reply = try await server.get(target)
            #expect(reply.status == 200)
            #expect(reply.header("Content-Type") == "application/xml; charset=utf-8")
            #expect(reply.header("Cache-Control") == "no-store")
            #expect(reply.text.contains(#"<entry name="username">alice</entry>"#))
            #expect(try await server.get(target).status == 404)
        }
    }

    @Test func aTokenIsAttachedOnceAndByACallerOnly() async throws {
        try await withServer { server in
            let key = try await server.apiKey(of: server.account())
            let other = try await server.apiKey(of: server.account("robert"))
            let token = try await self.newToken(server)
            let target = "/api/accounts/auth_token/\(token)/attach"
            #expect(try await server.post(target).status == 422)
            #expect(
                try await server.post("/api/accounts/auth_token/nothing/attach", [("x-api-key", key)]).status == 404)
            #expect(try await server.post(target, [("x-api-key", key)]).status == 200)
            #expect(try await server.post(target, [("x-api-key", key)]).status == 404)
            #expect(try await server.post(target, [("x-api-key", other)]).status == 404)
        }
    }

    @Test func aTokenLivesFiveMinutes() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let key = try await server.apiKey(of: alice)
            let late = try await self.newToken(server)
            let attached = try await self.newToken(server)
            _ = try await server.post("/api/accounts/auth_token/\(attached)/attach", [("x-api-key", key)])
            server.clock.advance(by: .seconds(300))
            #expect(
                try await server.post("/api/accounts/auth_token/\(late)/attach", [("x-api-key", key)]).status == 404)
            #expect(try await server.get("/api/accounts/me/api_key/\(attached)").status == 404)
            #expect(try await server.get("/provisioning/auth_token/\(attached)").status == 404)
        }
    }

    @Test func aTokenOfAnAccountThatIsNotActiveOpensNothing() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let token = try await self.newToken(server)
            _ = try await server.post(
                "/api/accounts/auth_token/\(token)/attach", [("x-api-key", server.apiKey(of: alice))])
            try await server.services.database.execute("UPDATE flexi.accounts SET activated = false")
            #expect(try await server.get("/api/accounts/me/api_key/\(token)").status == 404)
            #expect(try await server.get("/provisioning/auth_token/\(token)").status == 404)
        }
    }

    @Test func ofRacingExchangesOneWins() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let token = try await self.newToken(server)
            _ = try await server.post(
                "/api/accounts/auth_token/\(token)/attach", [("x-api-key", server.apiKey(of: alice))])
            let statuses = try await race(32) { index in
                try await server.get(
                    index % 2 == 0 ? "/api/accounts/me/api_key/\(token)" : "/provisioning/auth_token/\(token)"
                ).status
            }
            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 404 }.count == 31)
            #expect(try await server.count("auth_tokens") == 0)
        }
    }

    @Test func ofRacingAttachmentsOneWins() async throws {
        try await withServer { server in
            let keys = try await [server.apiKey(of: server.account()), server.apiKey(of: server.account("robert"))]
            let token = try await self.newToken(server)
            let statuses = try await race(32) { index in
                try await server.post("/api/accounts/auth_token/\(token)/attach", [("x-api-key", keys[index % 2])])
                    .status
            }
            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 404 }.count == 31)
            #expect(try await server.count("auth_tokens WHERE account_id IS NOT NULL") == 1)
        }
    }
}
