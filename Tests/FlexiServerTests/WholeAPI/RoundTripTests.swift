import Foundation
import PGClient
import PGTesting
import Testing

@testable import FlexiServer

/// What a request costs the database, counted from the messages between the server and PostgreSQL.
@Suite("Round trips")
struct RoundTripTests {
    /// Runs a server whose statements are counted.
    private func withCounting(_ body: (TestServer, FaultProxy) async throws -> Void) async throws {
        try await withTestDatabase(template: TestTemplate.shared.name()) { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                let address = try proxy.configuration().conninfo(replacing: [:])
                try await withServer(
                    on: database, ["DATABASE_URL": address], clock: TestClock()
                ) { server in
                    try await body(server, proxy)
                }
            }
        }
    }

    /// What one request costs once every connection has its statements prepared.
    private func cost(_ proxy: FaultProxy, _ request: () async throws -> HTTPReply) async throws -> FrontendTraffic {
        for _ in 0..<8 { #expect(try await request().status == 200) }
        let before = proxy.traffic
        #expect(try await request().status == 200)
        return proxy.traffic - before
    }

    @Test func theOwnAccountByAPIKeyTakesTwoStatements() async throws {
        try await self.withCounting { server, proxy in
            let alice = try await server.account()
            let key = try await server.apiKey(of: alice)
            func show() async throws -> HTTPReply {
                try await server.get("/api/accounts/me", [alice.from, ("x-api-key", key)])
            }
            let usual = try await self.cost(proxy, show)
            #expect(usual.statements == 2)
            #expect(usual.roundTrips == 2)

            server.clock.advance(by: .seconds(60))
            let before = proxy.traffic
            _ = try await show()
            #expect((proxy.traffic - before).statements == 3, "the key's last use is written down")
            #expect(try await self.cost(proxy, show).statements == 2, "once a minute")
        }
    }

    @Test func informationOnAnAccountTakesOneStatement() async throws {
        try await self.withCounting { server, proxy in
            let alice = try await server.account()
            let cost = try await self.cost(proxy) { try await server.get("/api/accounts/\(alice.address)/info") }
            #expect(cost.statements == 1)
            #expect(cost.roundTrips == 1)
        }
    }

    @Test func whatNeedsNoDatabaseAsksNone() async throws {
        try await self.withCounting { server, proxy in
            for target in ["/api/ping", "/healthz", "/provisioning"] {
                let cost = try await self.cost(proxy) { try await server.get(target) }
                #expect(cost.statements == 0, "\(target)")
                #expect(cost.roundTrips == 0, "\(target)")
            }
        }
    }

    /// The next request sees whatever was committed before it, whoever changed it.
    @Test func nothingIsKeptInTheProcess() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let key = try await server.apiKey(of: alice)
            let owner = DatabaseOwner(server.database)
            func show() async throws -> HTTPReply {
                try await server.get("/api/accounts/me", [alice.from, ("x-api-key", key)])
            }
            let info = "/api/accounts/\(alice.address)/info"
            #expect(try await show().json["display_name"] is NSNull)
            #expect(try await server.get(info).text == #"{"activated":true,"realm":null}"#)
            try await owner.run(
                "UPDATE flexi.accounts SET display_name = 'Alice'; UPDATE flexi.domains SET realm = 'new.example.org'")
            #expect(try await show().json["display_name"] as? String == "Alice")
            #expect(try await server.get(info).text == #"{"activated":true,"realm":"new.example.org"}"#)
            try await owner.run("UPDATE flexi.accounts SET activated = false")
            #expect(try await show().status == 401)
            #expect(try await server.get(info).text == #"{"activated":false,"realm":"new.example.org"}"#)
            try await owner.run("UPDATE flexi.accounts SET activated = true; DELETE FROM flexi.api_keys")
            #expect(try await show().status == 401)
            try await owner.run("DELETE FROM flexi.accounts")
            #expect(try await server.get(info).status == 404)
        }
    }
}
