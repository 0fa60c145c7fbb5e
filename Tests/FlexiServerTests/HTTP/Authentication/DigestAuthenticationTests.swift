import DigestAuth
import PGClient
import Testing

@testable import FlexiServer

private let me = "/api/accounts/me"

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
