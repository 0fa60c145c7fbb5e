import Foundation
import PGClient
import Testing

@testable import FlexiServer

@Suite("Changes of the phone number")
struct PhoneChangesTests {
    private static let settings = [
        "SMS_DRIVER": "log", "SMS_DAILY_PER_NUMBER": "0", "SMS_DAILY_PER_ADDRESS": "0",
    ]
    private static let request = "/api/accounts/me/phone/request"
    private static let confirmation = "/api/accounts/me/phone"
    private static let number = "+33612345678"

    private func ask(
        _ server: TestServer, _ key: (String, String), for phone: String = number
    ) async throws -> HTTPReply {
        try await server.post(Self.request, [key], json: #"{"phone":"\#(phone)"}"#)
    }

    private func confirm(_ server: TestServer, _ key: (String, String), _ code: String) async throws -> HTTPReply {
        try await server.post(Self.confirmation, [key], json: #"{"code":"\#(code)"}"#)
    }

    private func key(of account: TestAccount, _ server: TestServer) async throws -> (String, String) {
        try await ("x-api-key", server.apiKey(of: account))
    }

    private func lastPIN(_ server: TestServer) async throws -> String {
        try #require(try await server.outbox().last?.code?.reveal())
    }

    /// Another PIN than the right one.
    private func wrong(_ pin: String) -> String {
        pin == "1234" ? "4321" : "1234"
    }

    @Test func thePINThatWasSentMakesTheNumberTheAccounts() async throws {
        try await withServer(Self.settings) { server in
            let key = try await self.key(of: server.account(), server)
            let asked = try await self.ask(server, key)
            #expect(asked.status == 200)
            #expect(asked.header("Content-Type") == "application/json")
            #expect(asked.text == "{}")
            let message = try #require(try await server.outbox().last)
            #expect(message.kind == .pin)
            #expect(message.recipient.reveal() == Self.number)
            #expect(try await server.get("/api/accounts/me", [key]).json["phone"] is NSNull)

            let pin = try await self.lastPIN(server)
            #expect(pin.wholeMatch(of: /[1-9][0-9]{3}/) != nil)
            let confirmed = try await self.confirm(server, key, pin)
            #expect(confirmed.status == 200)
            #expect(confirmed.json["phone"] as? String == Self.number)
            #expect(confirmed.text == (try await server.get("/api/accounts/me", [key]).text))
            #expect(try await self.confirm(server, key, pin).status == 404, "once")
            #expect(try await self.ask(server, key).errors("phone") == ["The phone is the account's already."])
        }
    }

    @Test func fiveWrongTriesVoidAPIN() async throws {
        try await withServer(Self.settings) { server in
            let key = try await self.key(of: server.account(), server)
            _ = try await self.ask(server, key)
            let pin = try await self.lastPIN(server)
            for _ in 1...5 { #expect(try await self.confirm(server, key, self.wrong(pin)).status == 403) }
            let burnt = try await self.confirm(server, key, pin)
            #expect(burnt.status == 403)
            #expect(burnt.json["message"] as? String == "The code is wrong.")
            _ = try await self.ask(server, key)
            #expect(
                try await self.confirm(server, key, self.lastPIN(server)).status == 200,
                "a new PIN has tries of its own")
        }
    }

    @Test func wrongTriesThatRaceAreAllCounted() async throws {
        try await withServer(Self.settings) { server in
            let key = try await self.key(of: server.account(), server)
            _ = try await self.ask(server, key)
            let pin = try await self.lastPIN(server)
            let statuses = try await race(32) { _ in try await self.confirm(server, key, self.wrong(pin)).status }
            #expect(statuses == Array(repeating: 403, count: 32))
            let attempts = try await server.services.database.query("SELECT attempts FROM flexi.phone_changes")[0]
                .decode(Int16.self)
            #expect(attempts == 5)
            #expect(try await self.confirm(server, key, pin).status == 403)
        }
    }

    @Test func aPINLivesForTenMinutesAndServesItsAccountAlone() async throws {
        try await withServer(Self.settings) { server in
            let alice = try await self.key(of: server.account(), server)
            #expect(try await self.confirm(server, alice, "1234").status == 404, "none is under way")
            _ = try await self.ask(server, alice)
            let pin = try await self.lastPIN(server)
            server.clock.advance(by: .seconds(600))
            let late = try await self.confirm(server, alice, pin)
            #expect(late.status == 403)
            #expect(late.json["message"] as? String == "The code has expired.")
            #expect(try await server.get("/api/accounts/me", [alice]).json["phone"] is NSNull)
            // Not even the right digits open what another purpose has sent them for.
            #expect(
                try await server.post(
                    "/api/accounts/alice@sip.example.org/activate/phone", json: #"{"code":"\#(pin)"}"#
                )
                .status == 404)
        }
    }

    @Test func aNumberOfAnotherAccountIsRefused() async throws {
        try await withServer(Self.settings) { server in
            let admin = try await server.administrator()
            _ = try await server.create("carroll", admin, more: #","phone":"\#(Self.number)""#)
            let key = try await self.key(of: server.account(), server)
            let reply = try await self.ask(server, key)
            #expect(reply.status == 422)
            #expect(reply.errors("phone") == ["The phone belongs to another account."])
            #expect(try await server.count("phone_changes") == 0)
            #expect(try await server.count("outbox") == 0)
        }
    }

    @Test func ofRacingAccountsOneGetsTheNumber() async throws {
        try await withServer(Self.settings) { server in
            var callers: [(key: (String, String), pin: String)] = []
            for index in 0..<32 {
                let key = try await self.key(of: server.account("racer\(index)"), server)
                #expect(try await self.ask(server, key).status == 200)
                callers.append((key, try await self.lastPIN(server)))
            }
            let ready = callers
            let replies = try await race(32) { index in
                try await self.confirm(server, ready[index].key, ready[index].pin)
            }
            #expect(replies.filter { $0.status == 200 }.count == 1)
            #expect(replies.filter { $0.errors("phone") == ["The phone belongs to another account."] }.count == 31)
            #expect(try await server.count("phone_numbers") == 1)
            #expect(try await server.count("accounts WHERE phone IS NOT NULL") == 1)
        }
    }

    @Test func shortMessagesAreLimitedByAccountAndNumber() async throws {
        try await withServer(Self.settings.merging(["RATE_LIMIT_SMS_PER_MINUTE": "2"]) { $1 }) { server in
            let alice = try await self.key(of: server.account(), server)
            let bob = try await self.key(of: server.account("robert"), server)
            #expect(try await self.ask(server, alice).status == 200)
            #expect(try await self.ask(server, bob).status == 200)
            let refused = try await self.ask(server, bob)
            #expect(refused.status == 429)
            #expect(refused.header("Retry-After") == "30")
            #expect(try await self.ask(server, alice, for: "+33612345679").status == 200)
            #expect(
                try await self.ask(server, alice, for: "+33612345670").status == 429, "one account, whatever the number"
            )
            #expect(try await server.outbox().count == 3)
        }
    }
}
