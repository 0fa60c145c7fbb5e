import Foundation
import PGClient
import PGTesting
import Testing

@testable import FlexiServer

@Suite("outbox")
struct OutboxCommandTests {
    /// A server whose outbox has a pending, a dead and a delivered message, in this order of ids.
    private func withMessages(_ body: (TestServer, [Int64]) async throws -> Void) async throws {
        try await withServer(["MAIL_DRIVER": "log"]) { server in
            let account = try await server.account()
            let email = try #require(EmailAddress("secret-recipient@example.org"))
            for key in ["pending", "dead", "delivered"] {
                try await server.services.database.withTransaction { transaction in
                    try await Outbox(server.services).add(
                        .confirmAddress(code: Secret("secretsecret1")), to: email, of: account.id, in: .english,
                        key: key,
                        to: transaction)
                }
            }
            try await server.services.database.execute(
                """
                UPDATE flexi.outbox SET state = 'dead', last_error = '550 no such user', attempts = 3, finished_at = now()
                WHERE idempotency_key = 'dead'
                """
            )
            try await server.services.database.execute(
                """
                UPDATE flexi.outbox SET state = 'delivered', sealed_payload = NULL, finished_at = now()
                WHERE idempotency_key = 'delivered'
                """
            )
            let ids = try await server.services.database.query("SELECT id FROM flexi.outbox ORDER BY id")
                .map { try $0.decode(Int64.self) }
            try await body(server, ids)
        }
    }

    private func run(_ server: TestServer, _ arguments: [String]) async throws -> ServerProgram.Result {
        try await ServerProgram.run(["outbox"] + arguments, environment: ServerProgram.environment(server.database))
    }

    @Test func messagesAreListedWithoutWhatTheySay() async throws {
        try await self.withMessages { server, ids in
            let result = try await self.run(server, ["list"])
            #expect(result.status == 0)
            let lines = result.output.split(separator: "\n").map { $0.split(separator: "\t") }
            #expect(lines.map { $0[0] } == ids.reversed().map { "\($0)" })
            #expect(lines.map { $0[2] } == ["delivered", "dead", "pending"])
            #expect(lines[1][3] == "3")
            #expect(lines[1].last == "550 no such user")
            #expect(!result.output.contains("secret"))
            let dead = try await self.run(server, ["list", "--state", "dead"])
            #expect(dead.output.split(separator: "\n").count == 1)
        }
    }

    @Test func deadMessagesAreTriedAgain() async throws {
        try await self.withMessages { server, _ in
            let result = try await self.run(server, ["retry", "--dead"])
            #expect(result.output == "1 message to be tried again.\n")
            let mailer = RecordingMailer()
            // The command has the machine's clock.
            server.clock.advance(by: .seconds(Int(Date().timeIntervalSince(server.clock.now)) + 60))
            try await server.withOutboxService(Gateways(mail: mailer)) { try await server.waitForEmptyOutbox() }
            #expect(mailer.mails.count >= 1)
            #expect(try await server.outboxStates()[1].state == "delivered")
        }
    }

    @Test func messagesAreDropped() async throws {
        try await self.withMessages { server, ids in
            let both = try await self.run(server, ["drop", "\(ids[0])", "\(ids[1])"])
            #expect(both.output == "2 messages dropped.\n")
            #expect(try await server.outboxStates().map(\.state) == ["delivered"])
            let gone = try await self.run(server, ["drop", "\(ids[2])"])
            #expect(gone.status == 1)
            #expect(gone.error.contains("1 of them are not in the outbox, or were delivered"))
        }
    }

    @Test func messagesMustBeNamed() async throws {
        for arguments in [["retry"], ["drop"], ["drop", "1", "--dead"], ["list", "--state", "lost"], ["retry", "x"]] {
            let result = try await ServerProgram.run(["outbox"] + arguments, environment: [:])
            #expect(result.status == 64)
        }
    }
}
