import Foundation
import Testing

@testable import FlexiServer

@Suite("Rate limits")
struct RateLimitTests {
    private func statuses(_ count: Int, _ request: () async throws -> HTTPReply) async throws -> [Int] {
        var statuses: [Int] = []
        for _ in 0..<count { statuses.append(try await request().status) }
        return statuses
    }

    // MARK: Requests

    @Test func strangersAreCountedByAddress() async throws {
        try await withServer(["RATE_LIMIT_PER_MINUTE": "3"]) { server in
            let first = try await server.get("/api/ping")
            #expect(first.header("X-RateLimit-Limit") == "3")
            #expect(first.header("X-RateLimit-Remaining") == "2")
            #expect(first.header("Retry-After") == nil)
            let missing = try await server.get("/api/accounts/nobody@sip.example.org/info")
            #expect(missing.status == 404)
            #expect(missing.header("X-RateLimit-Remaining") == "1", "errors have the headers, too")
            let unrouted = try await server.get("/api/nowhere")
            #expect(unrouted.status == 404)
            #expect(unrouted.header("X-RateLimit-Remaining") == "0")

            let refused = try await server.get("/api/ping")
            #expect(refused.status == 429)
            #expect(refused.header("Retry-After") == "20")
            #expect(refused.header("X-RateLimit-Limit") == "3")
            #expect(refused.header("X-RateLimit-Remaining") == "0")
            #expect(refused.header("Content-Type") == "application/json")
            #expect(refused.text == #"{"message":"Too many requests; try again later."}"#)
            for target in ["/api/nowhere", "/provisioning", "/api/accounts/me"] {
                #expect(try await server.get(target).status == 429)
            }
            #expect(try await server.get("/healthz").status == 200, "who watches the server is never refused")

            server.clock.advance(by: .seconds(20))
            #expect(try await self.statuses(2) { try await server.get("/api/ping") } == [200, 429])
        }
    }

    @Test func accountsAreCountedWhereverTheyAre() async throws {
        try await withServer(["RATE_LIMIT_PER_MINUTE": "2"]) { server in
            let alice = try await server.apiKey(of: server.account())
            let bob = try await server.apiKey(of: server.account("robert"))
            #expect(try await self.statuses(3) { try await server.get("/api/ping") } == [200, 200, 429])
            let first = try await server.get("/api/accounts/me", [("x-api-key", alice)])
            #expect(first.status == 200)
            #expect(first.header("X-RateLimit-Remaining") == "1")
            let missing = try await server.get("/api/accounts/me/contacts/x@sip.example.org", [("x-api-key", alice)])
            #expect(missing.status == 404)
            #expect(missing.header("X-RateLimit-Remaining") == "0")
            let refused = try await server.get("/api/accounts/me", [("x-api-key", alice)])
            #expect(refused.status == 429)
            #expect(refused.header("Retry-After") == "30")
            #expect(try await server.get("/api/accounts/me", [("x-api-key", bob)]).status == 200)
        }
    }

    @Test func nothingIsCountedWhereItIsTurnedOff() async throws {
        try await withServer(["RATE_LIMIT_PER_MINUTE": "0"]) { server in
            let reply = try await server.get("/api/ping")
            #expect(reply.header("X-RateLimit-Limit") == nil)
        }
    }

    // MARK: Proxies

    @Test func behindATrustedProxyEveryClientIsCountedForItself() async throws {
        try await withServer(["RATE_LIMIT_PER_MINUTE": "1", "TRUSTED_PROXIES": "127.0.0.1"]) { server in
            let clients = [
                "192.0.2.1", "192.0.2.2",
                // What a client says itself stands before what the proxy adds.
                "203.0.113.9, 192.0.2.2",
                // One customer has 64 bits of addresses.
                "2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:3::1",
            ]
            var statuses: [Int] = []
            for client in clients {
                statuses.append(try await server.get("/api/ping", [("X-Forwarded-For", client)]).status)
            }
            #expect(statuses == [200, 200, 429, 200, 429, 200])
        }
    }

    @Test func fromAnybodyElseTheHeaderIsIgnoredWithOneWarning() async throws {
        try await withServer(["RATE_LIMIT_PER_MINUTE": "2"]) { server in
            var statuses: [Int] = []
            for client in 1...3 {
                statuses.append(
                    try await server.get("/api/ping", [("X-Forwarded-For", "192.0.2.\(client)")]).status)
            }
            #expect(statuses == [200, 200, 429])
            let warning = "X-Forwarded-For is ignored: TRUSTED_PROXIES does not name who sent it"
            #expect(server.log.events(warning).count == 1)
        }
    }

    // MARK: Guessing

    @Test func wrongPasswordsOfOneAccountAreLimitedAndOthersAreNot() async throws {
        try await withServer(["RATE_LIMIT_AUTH_PER_MINUTE": "2"]) { server in
            let alice = try await server.account()
            let digest = try await server.digest(alice)
            func me(count: Int, password: String) async throws -> HTTPReply {
                try await server.get(
                    "/api/accounts/me",
                    [
                        alice.from,
                        digest.authorization("GET", "/api/accounts/me", count: count, password: password),
                    ])
            }
            #expect(try await me(count: 1, password: "guess 1").status == 401)
            #expect(
                try await me(count: 2, password: alice.password).status == 200, "a right one in between counts nothing")
            #expect(try await me(count: 3, password: "guess 2").status == 401)
            let refused = try await me(count: 4, password: alice.password)
            #expect(refused.status == 429, "not even the right one tells that it is right")
            #expect(refused.header("Retry-After") == "30")
            #expect(refused.headers("WWW-Authenticate").isEmpty)

            let bob = try await server.account("robert")
            #expect(try await server.get("/api/accounts/me", [("x-api-key", server.apiKey(of: bob))]).status == 200)
            server.clock.advance(by: .seconds(30))
            #expect(try await me(count: 5, password: alice.password).status == 200)
        }
    }

    @Test func ofRacingWrongPasswordsNoMoreAreAnsweredThanTheLimitAllows() async throws {
        try await withServer(["RATE_LIMIT_AUTH_PER_MINUTE": "3"]) { server in
            let alice = try await server.account()
            let digest = try await server.digest(alice)
            let statuses = try await race(32) { number in
                try await server.get(
                    "/api/accounts/me",
                    [
                        alice.from,
                        digest.authorization("GET", "/api/accounts/me", count: number + 1, password: "guess"),
                    ]
                ).status
            }
            #expect(statuses.count { $0 == 401 } == 3)
            #expect(statuses.count { $0 == 429 } == 29)
        }
    }

    @Test func aNonceThatIsTooOldIsNoGuess() async throws {
        try await withServer(["RATE_LIMIT_AUTH_PER_MINUTE": "1"]) { server in
            let alice = try await server.account()
            let digest = try await server.digest(alice)
            server.clock.advance(by: .seconds(301))
            let stale = try await self.statuses(3) {
                try await server.get(
                    "/api/accounts/me", [alice.from, digest.authorization("GET", "/api/accounts/me")])
            }
            #expect(stale == [401, 401, 401])
        }
    }

    @Test func failuresOfOneNetworkAreLimitedWhateverTheyClaim() async throws {
        try await withServer(["RATE_LIMIT_PER_MINUTE": "3"]) { server in
            let alice = try await server.account()
            var statuses: [Int] = []
            for number in 1...4 {
                statuses.append(
                    try await server.get(
                        "/api/accounts/me", [("From", "sip:guess\(number)@sip.example.org"), ("x-api-key", "x")]
                    ).status)
            }
            #expect(statuses == [401, 401, 401, 429])
            let key = try await server.apiKey(of: alice)
            #expect(try await server.get("/api/accounts/me", [("x-api-key", key)]).status == 429)
            server.clock.advance(by: .seconds(60))
            #expect(try await server.get("/api/accounts/me", [("x-api-key", key)]).status == 200)
        }
    }

    @Test func wrongOldPasswordsAreLimited() async throws {
        try await withServer(["RATE_LIMIT_AUTH_PER_MINUTE": "2"]) { server in
            let alice = try await server.account()
            let key = try await server.apiKey(of: alice)
            func change(_ old: String) async throws -> Int {
                try await server.post(
                    "/api/accounts/me/password", [("x-api-key", key)],
                    json: #"{"algorithm":"SHA-256","old_password":"\#(old)","password":"wonderland"}"#
                ).status
            }
            #expect(try await change("guess 1") == 422)
            #expect(try await change("guess 2") == 422)
            #expect(try await change("secret!") == 429)
            #expect(try await server.get("/api/accounts/me", [("x-api-key", key)]).status == 200)
            server.clock.advance(by: .seconds(60))
            #expect(try await change("secret!") == 200)
        }
    }

    @Test func wrongLongCodesAreLimitedAndNeverBurnt() async throws {
        try await withServer(["RATE_LIMIT_CODES_PER_MINUTE": "7"]) { server in
            let admin = try await server.administrator()
            let key = try #require(try await server.create("carroll", admin).json["confirmation_key"] as? String)
            func activate(_ name: String, _ code: String) async throws -> Int {
                try await server.post(
                    "/api/accounts/\(name)@sip.example.org/activate/email", json: #"{"code":"\#(code)"}"#
                ).status
            }
            let wrong = String(repeating: "0", count: 13)
            var statuses: [Int] = []
            for _ in 1...7 { statuses.append(try await activate("carroll", wrong)) }
            #expect(statuses == [Int](repeating: 404, count: 7))
            #expect(try await activate("carroll", key) == 429)
            #expect(try await activate("nobody.here", wrong) == 404, "each account has tries of its own")
            server.clock.advance(by: .seconds(60))
            #expect(try await activate("carroll", key) == 200)
        }
    }

    @Test func questionsForAccountsAreLimited() async throws {
        try await withServer(["RATE_LIMIT_INFO_PER_MINUTE": "2"]) { server in
            let alice = try await server.account()
            let target = "/api/accounts/\(alice.address)/info"
            #expect(try await self.statuses(3) { try await server.get(target) } == [200, 200, 429])
            #expect(try await server.get("/api/ping").status == 200)
        }
    }
}
