import PGClient
import Testing

@testable import FlexiServer

private let me = "/api/accounts/me"

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
