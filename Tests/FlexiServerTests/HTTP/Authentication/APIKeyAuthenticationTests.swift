import Foundation
import OpenSSLCrypto
import PGClient
import Testing

@testable import FlexiServer

private let me = "/api/accounts/me"

@Suite("Authentication by API key")
struct APIKeyAuthenticationTests {
    @Test func aKeyInTheHeaderIsEnough() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let key = try await server.apiKey(of: alice)
            let reply = try await server.get(me, [("x-api-key", key)])
            #expect(reply.status == 200)
            #expect(reply.json["username"] as? String == "alice")
            #expect(reply.header("Cache-Control") == "no-store")
            #expect(reply.headers("WWW-Authenticate").isEmpty)
        }
    }

    @Test func aWrongKeyWithoutFromAsksForFrom() async throws {
        try await withServer { server in
            let reply = try await server.get(me, [("x-api-key", "wrong")])
            #expect(reply.status == 422)
            #expect(reply.errors("from")?.count == 1)
        }
    }

    @Test func keyAndFromMustNameTheSameAccount() async throws {
        try await withServer { server in
            let alice = try await server.account("alice")
            let bob = try await server.account("bobby")
            let key = try await server.apiKey(of: alice)
            #expect(try await server.get(me, [alice.from, ("x-api-key", key)]).status == 200)
            for from in [bob.from, ("From", "sip:alice@other.example.org"), ("From", "sip:nobody@sip.example.org")] {
                let reply = try await server.get(me, [from, ("x-api-key", key)])
                #expect(reply.status == 401)
                #expect(reply.text == #"{"message":"Unauthorized"}"#)
                #expect(reply.headers("WWW-Authenticate").count == 1)
            }
        }
    }

    @Test func aKeyInTheCookieNeedsFrom() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let key = try await server.apiKey(of: alice)
            let cookie = ("Cookie", "theme=dark; x-api-key=\(key); other=1")
            #expect(try await server.get(me, [cookie]).status == 422)
            #expect(try await server.get(me, [cookie, alice.from]).status == 200)
            let wrong = try await server.get(me, [("Cookie", "x-api-key=wrong"), alice.from])
            #expect(wrong.status == 401)
            #expect(wrong.json["message"] as? String == "Unauthorized")
        }
    }

    @Test func aStaleCookieDoesNotShadowAGoodDigest() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let digest = try await server.digest(alice).authorization("GET", me)
            let reply = try await server.get(me, [alice.from, ("Cookie", "x-api-key=stale"), digest])
            #expect(reply.status == 200)
        }
    }

    @Test func aWrongKeyInTheHeaderIsNotForgivenForADigest() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let digest = try await server.digest(alice).authorization("GET", me)
            #expect(try await server.get(me, [alice.from, ("x-api-key", "wrong"), digest]).status == 401)
        }
    }

    @Test func anUnusedKeyExpires() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let key = try await server.apiKey(of: alice)
            server.clock.advance(by: .seconds(59 * 60))
            #expect(try await server.get(me, [alice.from, ("x-api-key", key)]).status == 200)
            server.clock.advance(by: .seconds(59 * 60))
            #expect(try await server.get(me, [alice.from, ("x-api-key", key)]).status == 200)
            server.clock.advance(by: .seconds(60 * 60))
            #expect(try await server.get(me, [alice.from, ("x-api-key", key)]).status == 401)
            #expect(try await server.get(me, [("x-api-key", key)]).status == 422)
        }
    }

    @Test func aKeyLivesForEverWhereExpiryIsOff() async throws {
        try await withServer(["APP_API_KEY_EXPIRATION_MINUTES": "0"]) { server in
            let key = try await server.apiKey(of: server.account())
            server.clock.advance(by: .seconds(400 * 86_400))
            #expect(try await server.get(me, [("x-api-key", key)]).status == 200)
        }
    }

    @Test func aNamedKeyHasItsOwnExpiry() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let endless = try await server.apiKey(of: alice, name: "billing")
            let ending = try await server.apiKey(of: alice, name: "test", expiresAt: server.clock.now + 7_200)
            server.clock.advance(by: .seconds(7_199))
            #expect(try await server.get(me, [("x-api-key", ending)]).status == 200)
            server.clock.advance(by: .seconds(1))
            #expect(try await server.get(me, [("x-api-key", ending)]).status == 422)
            #expect(try await server.get(me, [("x-api-key", endless)]).status == 200)
        }
    }

    @Test func useIsWrittenDownOnceAMinute() async throws {
        try await withServer { server in
            let key = try await server.apiKey(of: server.account())
            let created = server.clock.now
            func lastUse() async throws -> Date {
                try await server.services.database.query("SELECT last_used_at FROM flexi.api_keys")[0].decode(
                    "last_used_at")
            }
            server.clock.advance(by: .seconds(59))
            _ = try await server.get(me, [("x-api-key", key)])
            #expect(try await lastUse() == created)
            server.clock.advance(by: .seconds(1))
            _ = try await server.get(me, [("x-api-key", key)])
            #expect(try await lastUse() == created + 60)
        }
    }

    @Test func onlyTheHashOfAKeyIsKept() async throws {
        try await withServer { server in
            let key = try await server.apiKey(of: server.account())
            let hash = SHA256.hash(key)
            #expect(try await server.get(me, [("x-api-key", Hex.encode(hash))]).status == 422)
        }
    }

    @Test func deactivationAndSuspensionTakeEffectAtOnce() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let key = try await server.apiKey(of: alice)
            let database = server.services.database
            for (off, on) in [
                ("UPDATE flexi.accounts SET activated = false", "UPDATE flexi.accounts SET activated = true"),
                ("UPDATE flexi.domains SET suspended = true", "UPDATE flexi.domains SET suspended = false"),
            ] {
                let digest = try await server.digest(alice).authorization("GET", me)
                try await database.execute(PGQuery(unsafeSQL: off))
                #expect(try await server.get(me, [alice.from, ("x-api-key", key)]).status == 401)
                #expect(try await server.get(me, [alice.from, digest]).status == 401)
                try await database.execute(PGQuery(unsafeSQL: on))
                #expect(try await server.get(me, [alice.from, ("x-api-key", key)]).status == 200)
            }
        }
    }

    @Test func aCookieChangesNothingForAnotherSite() async throws {
        try await withServer { server in
            let alice = try await server.account()
            for site in ["cross-site", "same-site"] {
                let key = try await server.apiKey(of: alice)
                let headers = [alice.from, ("Cookie", "x-api-key=\(key)"), ("Sec-Fetch-Site", site)]
                #expect(try await server.get("/api/accounts/me/api_key", headers).status == 403)
                #expect(try await server.get(me, headers).status == 200)
                #expect(
                    try await server.get("/api/accounts/me/api_key", [("x-api-key", key), ("Sec-Fetch-Site", site)])
                        .status == 200)
                try await server.services.database.execute("DELETE FROM flexi.api_keys")
            }
            for site in [[("Sec-Fetch-Site", "same-origin")], [("Sec-Fetch-Site", "none")], []] {
                let key = try await server.apiKey(of: alice)
                let headers = [alice.from, ("Cookie", "x-api-key=\(key)")] + site
                #expect(try await server.get("/api/accounts/me/api_key", headers).status == 200)
                try await server.services.database.execute("DELETE FROM flexi.api_keys")
            }
        }
    }

    @Test func theKeyItselfIsNeverLogged() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let key = try await server.apiKey(of: alice)
            _ = try await server.get(me, [("x-api-key", key)])
            _ = try await server.get(me, [("From", "sip:bob@sip.example.org"), ("x-api-key", key)])
            _ = try await server.get(me, [alice.from, ("Cookie", "x-api-key=\(key)x")])
            #expect(server.log.events("credentials refused").count == 2)
            #expect(!server.log.lines.joined().contains(key))
        }
    }
}
