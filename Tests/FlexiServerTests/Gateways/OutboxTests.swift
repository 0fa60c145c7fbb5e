import Foundation
import Logging
import NIOCore
import PGClient
import Testing

@testable import FlexiServer

@Suite("Outbox")
struct OutboxTests {
    private static let mail = ["MAIL_DRIVER": "log", "SMS_DRIVER": "log"]
    private static let code = "abcdefghijklm"

    private func addMail(
        _ server: TestServer, to recipient: String = "new@example.org", key: String = "key", validUntil: Date? = nil,
        rollingBack: Bool = false
    ) async throws {
        let account = try await server.account("alice-\(UUID().uuidString.lowercased())")
        let email = try #require(EmailAddress(recipient))
        struct RolledBack: Error {}
        do {
            try await server.services.database.withTransaction { transaction in
                try await Outbox(server.services).add(
                    .confirmAddress(code: Secret(Self.code)), to: email, of: account.id, in: .english, key: key,
                    validUntil: validUntil, to: transaction)
                if rollingBack { throw RolledBack() }
            }
        } catch is RolledBack {}
    }

    @Test func aMailCommitsWithTheChangeThatAsksForIt() async throws {
        try await withServer(Self.mail) { server in
            try await self.addMail(server, key: "undone", rollingBack: true)
            #expect(try await server.outbox().isEmpty)
            try await self.addMail(server, key: "done")
            let message = try #require(try await server.outbox().first)
            #expect(message.kind == .confirmAddress)
            #expect(message.recipient.reveal() == "new@example.org")
            #expect(message.code?.reveal() == Self.code)
        }
    }

    @Test func oneKeyIsOneMail() async throws {
        try await withServer(Self.mail) { server in
            try await self.addMail(server)
            try await self.addMail(server, to: "other@example.org")
            #expect(try await server.outbox().map { $0.recipient.reveal() } == ["new@example.org"])
        }
    }

    @Test func nothingInTheTableIsReadable() async throws {
        try await withServer(Self.mail) { server in
            try await self.addMail(server)
            let row = try await server.services.database.query("SELECT message::text FROM flexi.outbox AS message")[0]
                .decode(String.self)
            #expect(!row.contains("new@example.org"))
            #expect(!row.contains(Self.code))
            // Hexadecimal, as a bytea is shown.
            #expect(!row.contains(Self.code.utf8.map { String(format: "%02x", $0) }.joined()))
        }
    }

    @Test func aDeliveredMailIsErased() async throws {
        try await withServer(Self.mail) { server in
            let mailer = RecordingMailer()
            try await self.addMail(server)
            try await server.withOutboxService(Gateways(mail: mailer)) { try await server.waitForEmptyOutbox() }
            let mail = try #require(mailer.mails.first)
            #expect(mailer.mails.count == 1)
            #expect(mail.recipient.value == "new@example.org")
            #expect(mail.text.contains("http://localhost:8080/email/\(Self.code)"))
            #expect(mail.html.contains("http://localhost:8080/email/\(Self.code)"))
            #expect(try await server.outboxStates().map(\.state) == ["delivered"])
            #expect(try await server.outbox().isEmpty)
        }
    }

    @Test func aMailThatFailsIsTriedLaterAndArrives() async throws {
        try await withServer(Self.mail) { server in
            let mailer = RecordingMailer(failing: [.temporary("busy with new@example.org")])
            try await self.addMail(server)
            try await server.withOutboxService(Gateways(mail: mailer)) {
                while try await server.outboxStates().first?.lastError == nil { await Task.yield() }
                // The server's words, without the address that they repeat.
                #expect(try await server.outboxStates().first?.lastError == "busy with …")
                #expect(try await server.outboxStates().first?.state == "pending")
                try await server.advance(by: .seconds(7))
                try await server.waitForEmptyOutbox()
            }
            #expect(mailer.mails.count == 1)
            #expect(try await server.outboxStates().map(\.attempts) == [2])
        }
    }

    @Test func aMailThatIsRefusedForGoodIsKeptForTheOperator() async throws {
        try await withServer(Self.mail) { server in
            let mailer = RecordingMailer(failing: [.permanent("550 no such user")])
            try await self.addMail(server)
            try await server.withOutboxService(Gateways(mail: mailer)) { try await server.waitForEmptyOutbox() }
            let state = try #require(try await server.outboxStates().first)
            #expect(state.state == "dead")
            #expect(state.lastError == "550 no such user")
            #expect(try await server.outbox().count == 1)
        }
    }

    @Test func aCodeThatHasExpiredIsNotSent() async throws {
        try await withServer(Self.mail) { server in
            let mailer = RecordingMailer()
            try await self.addMail(server, validUntil: server.clock.now.addingTimeInterval(600))
            server.clock.advance(by: .seconds(601))
            try await server.withOutboxService(Gateways(mail: mailer)) { try await server.waitForEmptyOutbox() }
            #expect(mailer.mails.isEmpty)
            #expect(try await server.outboxStates().first?.lastError == "not delivered in time")
        }
    }

    @Test func manyWorkersDeliverEveryMailOnce() async throws {
        try await withServer(Self.mail) { server in
            for index in 0..<40 { try await self.addMail(server, to: "user\(index)@example.org", key: "mail \(index)") }
            let mailer = RecordingMailer()
            try await server.withOutboxService(Gateways(mail: mailer)) {
                try await server.withOutboxService(Gateways(mail: mailer)) {
                    try await server.withOutboxService(Gateways(mail: mailer)) { try await server.waitForEmptyOutbox() }
                }
            }
            #expect(mailer.mails.count == 40)
            #expect(Set(mailer.mails.map(\.recipient)).count == 40)
            #expect(Set(mailer.mails.map(\.messageID)).count == 40)
        }
    }

    @Test func aMessageIsLeftToItsLeaseByAWorkerThatDies() async throws {
        try await withServer(Self.mail) { server in
            try await self.addMail(server)
            let outbox = OutboxRepository(server.services.database)
            let now = server.clock.now
            let taken = try await outbox.take(.mail, limit: 5, at: now, until: now.addingTimeInterval(60))
            #expect(taken.map(\.attempt) == [1])
            #expect(try await outbox.take(.mail, limit: 5, at: now, until: now.addingTimeInterval(60)).isEmpty)
            let later = now.addingTimeInterval(60)
            let again = try await outbox.take(.mail, limit: 5, at: later, until: later.addingTimeInterval(60))
            #expect(again.map(\.attempt) == [2])
            // The first one was late: what it has to say no longer counts.
            try await outbox.markDead(taken[0], because: "late", at: later)
            #expect(try await server.outboxStates().map(\.state) == ["pending"])
        }
    }

    @Test func withoutADriverWhatNeedsOneIsRefused() async throws {
        try await withServer { server in
            let outbox = Outbox(server.services)
            #expect(throws: APIError.self) { try outbox.requireMail() }
            let number = try #require(PhoneNumber("+33612345678"))
            #expect(throws: APIError.self) { try outbox.requireShortMessages(to: number) }
        }
        try await withServer(Self.mail.merging(["SMS_COUNTRIES": "33, 1514"]) { $1 }) { server in
            let outbox = Outbox(server.services)
            try outbox.requireMail()
            try outbox.requireShortMessages(to: #require(PhoneNumber("+33612345678")))
            try outbox.requireShortMessages(to: #require(PhoneNumber("+15145550100")))
            let number = try #require(PhoneNumber("+18765550100"))
            #expect(throws: APIError.self) { try outbox.requireShortMessages(to: number) }
        }
    }
}
