import DigestAuth
import Foundation
import OpenSSLCrypto
import PGClient
import Testing

@testable import FlexiServer

private let me = "/api/accounts/me"

@Suite("From header")
struct FromHeaderTests {
    @Test func fromIsRequired() async throws {
        try await withServer { server in
            let reply = try await server.get(me)
            #expect(reply.status == 422)
            #expect(reply.header("Content-Type") == "application/json")
            #expect(
                reply.text
                    == #"{"message":"The request is not valid.","errors":{"from":["The From header is missing."]}}"#)
            #expect(reply.headers("WWW-Authenticate").isEmpty)
        }
    }

    @Test func garbageIsNoFrom() async throws {
        try await withServer { server in
            let key = try await server.apiKey(of: server.account())
            for from in [
                "alice", "tel:+33612345678", "sip:al ice@sip.example.org", "<sip:alice@sip.example.org", "sip:alice@@",
            ] {
                let reply = try await server.get(me, [("From", from), ("x-api-key", key)])
                #expect(reply.status == 422, "\(from)")
                #expect(reply.errors("from") == ["The From header must be a SIP address."])
            }
        }
    }

    @Test(arguments: [
        "sip:alice@sip.example.org", "sips:alice@sip.example.org", "SIP:Alice@SIP.example.org",
        "<sip:alice@sip.example.org>;tag=x",
        "\"A. Lice\" <sip:%61lice@sip.example.org;transport=tls>", "alice@sip.example.org",
    ])
    func fromIsReadAsClientsWriteIt(from: String) async throws {
        try await withServer { server in
            let key = try await server.apiKey(of: server.account())
            #expect(try await server.get(me, [("From", from), ("x-api-key", key)]).status == 200)
        }
    }
}

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

@Suite("Digest")
struct DigestAuthenticationTests {
    @Test func theWholeExchange() async throws {
        try await withServer { server in
            let alice = try await server.account(algorithms: [.sha256, .md5])
            let challenge = try await server.get(me, [alice.from])
            #expect(challenge.status == 401)
            #expect(challenge.header("Content-Type") == "application/json")
            #expect(challenge.text == #"{"message":"Unauthenticated request"}"#)
            let offers = challenge.headers("WWW-Authenticate")
            #expect(offers.count == 2)
            let form =
                #/Digest realm="sip\.example\.org",qop="auth",algorithm=(MD5|SHA-256),nonce="[0-9a-f]{80}",opaque="[0-9a-f]{32}"/#
            #expect(offers.compactMap { $0.wholeMatch(of: form)?.output.1 } == ["MD5", "SHA-256"])

            for offer in offers {
                let client = DigestClient(alice, challenge: offer)
                let reply = try await server.get(
                    me, [alice.from, client.authorization("GET", me, count: offer == offers[0] ? 1 : 2)])
                #expect(reply.status == 200)
                #expect(reply.json["username"] as? String == "alice")
                #expect(reply.header("Cache-Control") == "no-store")
                // The same nonce again, for clients that count on.
                #expect(reply.headers("WWW-Authenticate") == offers)
            }
        }
    }

    @Test func exactlyTheStoredHashesAreOffered() async throws {
        try await withServer { server in
            for (username, algorithms) in [
                ("aaa", [DigestAlgorithm.md5]), ("bbb", [.sha256]), ("ccc", [.md5, .sha256]),
            ] {
                let account = try await server.account(username, algorithms: algorithms)
                let offers = try await server.get(me, [account.from]).headers("WWW-Authenticate")
                #expect(
                    offers.map { DigestClient(account, challenge: $0).parameters["algorithm"] }
                        == algorithms.map(\.rawValue))
            }
        }
    }

    @Test func anAlgorithmThatIsNotStoredIsRefused() async throws {
        try await withServer { server in
            let alice = try await server.account(algorithms: [.sha256])
            let challenge = try #require(try await server.get(me, [alice.from]).header("WWW-Authenticate"))
            let client = DigestClient(alice, challenge: challenge.replacing("SHA-256", with: "MD5"))
            let reply = try await server.get(me, [alice.from, client.authorization("GET", me)])
            #expect(reply.status == 401)
            #expect(reply.json["message"] as? String == "Unauthorized")
        }
    }

    @Test func strangersInactiveAndWrongAreAnsweredAlike() async throws {
        try await withServer { server in
            let active = try await server.account("active")
            let inactive = try await server.account("inactive", isActive: false)
            let bare = try await server.account("without", algorithms: [])
            let stranger = TestAccount(id: active.id, username: "stranger", domain: "sip.example.org", password: "x")
            var shapes: Set<String> = []
            for (account, password) in [
                (active, "wrong"), (inactive, inactive.password), (bare, bare.password), (stranger, "x"),
            ] {
                let first = try await server.get(me, [account.from])
                let client = try await server.digest(account)
                let second = try await server.get(
                    me, [account.from, client.authorization("GET", me, password: password)])
                #expect(first.status == 401 && second.status == 401)
                let offers = first.headers("WWW-Authenticate") + second.headers("WWW-Authenticate")
                #expect(offers.count == 2)
                let neutral = offers.map { $0.replacing(#/nonce="[0-9a-f]{80}"/#, with: "nonce") }
                let names = (first.headers + second.headers).map(\.name)
                shapes.insert((neutral + names + [first.text, second.text]).joined(separator: "\n"))
            }
            #expect(shapes.count == 1, "\(shapes)")
        }
    }

    @Test func aStrangerOfAKnownDomainIsOfferedItsRealm() async throws {
        try await withServer { server in
            _ = try await server.account(domain: "sip.example.org")
            try await server.services.database.execute("UPDATE flexi.domains SET realm = 'Our Realm'")
            let reply = try await server.get(me, [("From", "sip:stranger@sip.example.org")])
            #expect(reply.header("WWW-Authenticate")?.hasPrefix("Digest realm=\"Our Realm\",") == true)
        }
    }

    @Test func hashesOfAnotherRealmOpenNothing() async throws {
        try await withServer(["ACCOUNT_REALM": "now"]) { server in
            let alice = try await server.account(algorithms: [.md5], realm: "before")
            let digest = try await server.digest(alice)
            // Offered like everybody who has no password.
            #expect(digest.parameters["realm"] == "now")
            #expect(digest.parameters["algorithm"] == "SHA-256")
            #expect(try await server.get(me, [alice.from, digest.authorization("GET", me)]).status == 401)
        }
    }

    @Test(arguments: [
        ["realm": "other"], ["opaque": "0"], ["username": "bob"], ["qop": "auth-int"], ["algorithm": "SHA-512-256"],
        ["uri": "/api/accounts/me/"], ["response": String(repeating: "0", count: 64)], ["nc": "0000000x"],
    ])
    func everyParameterIsVerified(change: [String: String]) async throws {
        try await withServer { server in
            let alice = try await server.account()
            let client = try await server.digest(alice)
            let reply = try await server.get(me, [alice.from, client.authorization("GET", me, change: change)])
            #expect(reply.status == 401)
            #expect(reply.json["message"] as? String == "Unauthorized")
            #expect(reply.header("WWW-Authenticate")?.contains("stale") == false)
        }
    }

    @Test func theTargetMustBeTheOneThatWasHashed() async throws {
        try await withServer(["APP_URL": "https://example.org/flexiapi"]) { server in
            let alice = try await server.account()
            func status(_ hashed: String, _ sent: String, method: String = "GET") async throws -> Int {
                try await server.get(sent, [alice.from, server.digest(alice).authorization(method, hashed)]).status
            }
            #expect(try await status("\(me)?page=1", "\(me)?page=1") == 200)
            #expect(try await status("/flexiapi\(me)", me) == 200)
            #expect(try await status("http://127.0.0.1\(me)", me) == 200)
            #expect(try await status("\(me)?page=1", "\(me)?page=2") == 401)
            #expect(try await status(me, "\(me)/api_key") == 401)
            #expect(try await status("/api/accounts/m%65", me) == 401)
            #expect(try await status(me, me, method: "POST") == 401)
        }
    }

    @Test func anotherSchemeIsNoCredential() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let reply = try await server.get(me, [alice.from, ("Authorization", "Basic YWxpY2U6c2VjcmV0IQ==")])
            #expect(reply.status == 401)
            #expect(reply.text == #"{"message":"Unauthenticated request"}"#)
        }
    }

    @Test func aNonceGrowsOld() async throws {
        try await withServer(["NONCE_LIFETIME_SECONDS": "30"]) { server in
            let alice = try await server.account()
            let client = try await server.digest(alice)
            server.clock.advance(by: .seconds(31))
            let reply = try await server.get(me, [alice.from, client.authorization("GET", me)])
            #expect(reply.status == 401)
            #expect(reply.text == #"{"message":"Nonce invalid"}"#)
            #expect(reply.header("WWW-Authenticate")?.hasSuffix(",stale=true") == true)
            // A wrong password learns nothing of it.
            let wrong = try await server.get(me, [alice.from, client.authorization("GET", me, password: "wrong")])
            #expect(wrong.text == #"{"message":"Unauthorized"}"#)
            #expect(wrong.header("WWW-Authenticate")?.contains("stale") == false)
        }
    }

    @Test func aNonceOfSomebodyElseIsInvalid() async throws {
        try await withServer { server in
            let alice = try await server.account("alice")
            let bob = try await server.account("bobby")
            let stolen = try await server.digest(bob).parameters["nonce"] ?? ""
            let challenge = try #require(try await server.get(me, [alice.from]).header("WWW-Authenticate"))
            let forged = challenge.replacing(#/nonce="[0-9a-f]+"/#, with: "nonce=\"\(stolen)\"")
            let reply = try await server.get(
                me, [alice.from, DigestClient(alice, challenge: forged).authorization("GET", me)])
            #expect(reply.status == 401)
            #expect(reply.text == #"{"message":"Nonce invalid"}"#)
            #expect(reply.header("WWW-Authenticate")?.contains("stale") == false)
        }
    }
}

@Suite("Nonce counts")
struct NonceCountTests {
    @Test func aCountMustGrow() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let client = try await server.digest(alice)
            func reply(_ count: Int) async throws -> HTTPReply {
                try await server.get(me, [alice.from, client.authorization("GET", me, count: count)])
            }
            #expect(try await reply(1).status == 200)
            #expect(try await reply(2).status == 200)
            #expect(try await reply(7).status == 200)
            for old in [1, 6, 7] {
                let replayed = try await reply(old)
                #expect(replayed.status == 401)
                #expect(replayed.text == #"{"message":"Nonce replayed"}"#)
                #expect(replayed.headers("WWW-Authenticate").count == 1)
            }
            #expect(try await reply(8).status == 200)
            #expect(try await reply(0xFFFF_FFFF).status == 200)
        }
    }

    @Test func aWrongPasswordUsesNothingUp() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let client = try await server.digest(alice)
            _ = try await server.get(me, [alice.from, client.authorization("GET", me, password: "wrong")])
            #expect(try await server.counters() == 0)
            #expect(try await server.get(me, [alice.from, client.authorization("GET", me)]).status == 200)
        }
    }

    @Test func aChallengeWritesNothing() async throws {
        try await withServer { server in
            let alice = try await server.account()
            for _ in 0..<5 { _ = try await server.get(me, [alice.from]) }
            #expect(try await server.counters() == 0)
        }
    }

    @Test func ofManyEqualRequestsOneWins() async throws {
        try await withServer { server in
            let alice = try await server.account()
            for round in 1...4 {
                let client = try await server.digest(alice)
                let header = client.authorization("GET", me, count: round)
                let replies = try await race(32) { _ in try await server.get(me, [alice.from, header]) }
                #expect(replies.filter { $0.status == 200 }.count == 1)
                #expect(replies.filter { $0.status == 401 && $0.text == #"{"message":"Nonce replayed"}"# }.count == 31)
            }
            #expect(try await server.counters() == 4)
        }
    }

    @Test func theCountHoldsAcrossServers() async throws {
        try await withServer { first in
            try await withServer(on: first.database, clock: first.clock) { second in
                let alice = try await first.account()
                let client = try await first.digest(alice)
                let header = client.authorization("GET", me)
                let replies = try await race(32) { index in
                    try await (index.isMultiple(of: 2) ? first : second).get(me, [alice.from, header])
                }
                #expect(replies.filter { $0.status == 200 }.count == 1)
                #expect(replies.filter { $0.text == #"{"message":"Nonce replayed"}"# }.count == 31)
                #expect(
                    try await second.get(me, [alice.from, client.authorization("GET", me, count: 2)]).status == 200)
            }
        }
    }

    @Test func afterACrashOfPostgreSQLOldNoncesAreStale() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let used = try await server.digest(alice)
            let unused = try await server.digest(alice)
            #expect(try await server.get(me, [alice.from, used.authorization("GET", me)]).status == 200)
            server.clock.advance(by: .seconds(1))
            // What recovery does to unlogged tables.
            try await DatabaseOwner(server.database).run("TRUNCATE flexi.digest_nonces, flexi.digest_epoch")
            for client in [used, unused] {
                let reply = try await server.get(me, [alice.from, client.authorization("GET", me)])
                #expect(reply.status == 401)
                #expect(reply.text == #"{"message":"Nonce invalid"}"#)
                let challenge = try #require(reply.header("WWW-Authenticate"))
                #expect(challenge.hasSuffix(",stale=true"))
                let next = DigestClient(alice, challenge: challenge.replacing(",stale=true", with: ""))
                #expect(try await server.get(me, [alice.from, next.authorization("GET", me)]).status == 200)
                #expect(try await server.get(me, [alice.from, next.authorization("GET", me)]).status == 401)
            }
        }
    }

    @Test func countersThatNoNonceNeedsAreTakenAway() async throws {
        try await withServer(["NONCE_LIFETIME_SECONDS": "30"]) { server in
            let alice = try await server.account()
            func use() async throws {
                let client = try await server.digest(alice)
                #expect(try await server.get(me, [alice.from, client.authorization("GET", me)]).status == 200)
            }
            for _ in 0..<6 { try await use() }
            #expect(try await server.counters() == 6)
            server.clock.advance(by: .seconds(91))
            try await use()
            #expect(try await server.counters() == 3)
            try await use()
            #expect(try await server.counters() == 2)
        }
    }
}

extension TestServer {
    fileprivate func counters() async throws -> Int64 {
        try await self.services.database.query("SELECT count(*) AS n FROM flexi.digest_nonces")[0].decode("n")
    }
}
