import Foundation
import HTTPTypes
import NIOCore
import PGClient
import Testing

@testable import FlexiServer

@Suite("SMS budgets")
struct SMSBudgetTests {
    private struct Request {
        var account: TestAccount
        var number = "+33612345678"
        var address = "192.0.2.1"
    }

    /// Whether the message was added; 429 is the only refusal.
    private func send(_ server: TestServer, _ request: Request) async throws -> Bool {
        let number = try #require(PhoneNumber(request.number))
        let client = try ClientAddress(peer: SocketAddress(ipAddress: request.address, port: 1))
        let pin = try #require(PIN("1234"))
        do {
            try await server.services.database.withTransaction { transaction in
                try await Outbox(server.services).add(
                    pin, to: number, of: request.account.id, asking: client, in: .english,
                    key: UUID().uuidString, to: transaction)
            }
            return true
        } catch let error as APIError where error.status == .tooManyRequests {
            return false
        }
    }

    private static func settings(_ limits: [String: String]) -> [String: String] {
        [
            "SMS_DRIVER": "log", "SMS_DAILY_PER_ACCOUNT": "0", "SMS_DAILY_PER_NUMBER": "0",
            "SMS_DAILY_PER_ADDRESS": "0",
            "SMS_DAILY_TOTAL": "0",
        ].merging(limits) { $1 }
    }

    @Test func anAccountHasSoManyADay() async throws {
        try await withServer(Self.settings(["SMS_DAILY_PER_ACCOUNT": "2"])) { server in
            let (first, second) = try await (server.account("alice"), server.account("bob"))
            for expected in [true, true, false] {
                #expect(try await self.send(server, Request(account: first)) == expected)
            }
            #expect(try await self.send(server, Request(account: second)))
            // What was refused is not stored.
            #expect(try await server.outbox().count == 3)
            server.clock.advance(by: .seconds(86_400))
            #expect(try await self.send(server, Request(account: first)))
        }
    }

    @Test func aNumberHasSoManyADay() async throws {
        try await withServer(Self.settings(["SMS_DAILY_PER_NUMBER": "1"])) { server in
            let (first, second) = try await (server.account("alice"), server.account("bob"))
            #expect(try await self.send(server, Request(account: first)))
            #expect(try await !self.send(server, Request(account: second)))
            #expect(try await self.send(server, Request(account: second, number: "+33612345679")))
        }
    }

    @Test func anAddressHasSoManyADay() async throws {
        try await withServer(Self.settings(["SMS_DAILY_PER_ADDRESS": "1"])) { server in
            let account = try await server.account()
            #expect(try await self.send(server, Request(account: account)))
            #expect(try await !self.send(server, Request(account: account)))
            #expect(try await self.send(server, Request(account: account, address: "2001:db8::1")))
            // One customer's, whatever the rest of the address is.
            #expect(try await !self.send(server, Request(account: account, address: "2001:db8::ffff:2")))
            #expect(try await self.send(server, Request(account: account, address: "2001:db8:0:1::1")))
        }
    }

    @Test func thereAreSoManyADayInAllAlsoWhereRequestsRace() async throws {
        try await withServer(Self.settings(["SMS_DAILY_TOTAL": "5", "SMS_DAILY_PER_ACCOUNT": "100"])) { server in
            let account = try await server.account()
            let sent = try await race(12) { index in
                try await self.send(server, Request(account: account, number: "+336123456\(10 + index)"))
            }
            #expect(sent.count { $0 } == 5)
            #expect(try await server.outbox().count == 5)
        }
    }

    @Test func nobodyReadsNumbersInTheCounts() async throws {
        try await withServer(Self.settings(["SMS_DAILY_PER_NUMBER": "5"])) { server in
            #expect(try await self.send(server, Request(account: server.account())))
            let rows = try await server.services.database.query("SELECT budget::text FROM flexi.sms_budgets AS budget")
            #expect(rows.count == 1)
            #expect(try !rows[0].decode(String.self).contains("612345678"))
        }
    }
}
