import Foundation
import PGClient
import Testing

@testable import FlexiServer

@Suite("Changes of the mail address")
struct EmailChangesTests {
    private static let settings = ["MAIL_DRIVER": "log", "APP_API_KEY_EXPIRATION_MINUTES": "0"]
    private static let request = "/api/accounts/me/email/request"
    private static let confirmation = "/api/accounts/me/email"

    private func ask(
        _ server: TestServer, _ key: (String, String), for email: String = "new@example.org"
    ) async throws -> HTTPReply {
        try await server.post(Self.request, [key], json: #"{"email":"\#(email)"}"#)
    }

    private func confirm(_ server: TestServer, _ key: (String, String), _ code: String) async throws -> HTTPReply {
        try await server.post(Self.confirmation, [key], json: #"{"code":"\#(code)"}"#)
    }

    private func key(of account: TestAccount, _ server: TestServer) async throws -> (String, String) {
        try await ("x-api-key", server.apiKey(of: account))
    }

    private func lastCode(_ server: TestServer) async throws -> String {
        try #require(try await server.outbox().last?.code?.reveal())
    }

    @Test func theCodeThatWasMailedMakesTheAddressTheAccounts() async throws {
        try await withServer(Self.settings) { server in
            let key = try await self.key(of: server.account(), server)
            let asked = try await self.ask(server, key)
            #expect(asked.status == 200)
            #expect(asked.header("Content-Type") == "application/json")
            #expect(asked.text == "{}")
            let mail = try #require(try await server.outbox().last)
            #expect(mail.kind == .confirmAddress)
            #expect(mail.recipient.reveal() == "new@example.org")
            let waiting = try await server.get("/api/accounts/me", [key])
            #expect(waiting.json["email"] is NSNull)
            #expect(
                waiting.text.contains(
                    #""email_changed":{"new_email":"new@example.org","created_at":"2026-09-24 12:00:00"}"#))

            let code = try await self.lastCode(server)
            let confirmed = try await self.confirm(server, key, code)
            #expect(confirmed.status == 200)
            #expect(confirmed.json["email"] as? String == "new@example.org")
            #expect(confirmed.json["email_changed"] is NSNull)
            #expect(confirmed.text == (try await server.get("/api/accounts/me", [key]).text))
            #expect(try await self.confirm(server, key, code).status == 404, "once")
        }
    }

    @Test func theAddressOfBeforeIsTold() async throws {
        try await withServer(Self.settings) { server in
            let key = try await self.key(of: server.account(), server)
            for (email, told) in [("first@example.org", [String]()), ("second@example.org", ["first@example.org"])] {
                _ = try await self.ask(server, key, for: email)
                #expect(try await self.confirm(server, key, self.lastCode(server)).status == 200)
                let notices = try await server.outbox().filter { $0.kind == .addressChanged }
                #expect(notices.map { $0.recipient.reveal() } == told)
            }
            let same = try await self.ask(server, key, for: "second@example.org")
            #expect(same.status == 422)
            #expect(same.errors("email") == ["The email is the account's already."])
        }
    }

    @Test func anAccountIsWrittenToInTheLanguageThatItsOwnerAskedForLast() async throws {
        try await withServer(Self.settings) { server in
            let alice = try await server.account()
            let key = try await self.key(of: alice, server)
            for (accepted, language) in [
                (nil, Language.english), ("fr-CA, de;q=0.5", .french), (nil, .french), ("de", .french),
            ] {
                let headers = [key] + (accepted.map { [("Accept-Language", $0)] } ?? [])
                let asked = try await server.post(Self.request, headers, json: #"{"email":"new@example.org"}"#)
                #expect(asked.status == 200)
                #expect(try await server.outbox().last?.language == language)
            }
            #expect(try await self.confirm(server, key, self.lastCode(server)).status == 200)

            let administrator = try await [server.administrator(), ("Accept-Language", "en")]
            let changed = try await server.send(
                "PATCH", "/api/accounts/\(alice.id.rawValue)", administrator, json: #"{"email":"newer@example.org"}"#)
            #expect(changed.status == 200)
            let notice = try #require(try await server.outbox().last)
            #expect(notice.kind == .addressChanged)
            #expect(notice.recipient.reveal() == "new@example.org")
            #expect(notice.language == .french, "the account's, not the administrator's")
        }
    }

    @Test func anAdministratorsChangeIsToldWhereMailCanBeSentAndAnotherAddressTakesTheOldOnesPlace() async throws {
        for (settings, mails) in [(Self.settings, ["first@example.org"]), ([:], [])] {
            try await withServer(settings) { server in
                let administrator = try await server.administrator()
                let target = try await "/api/accounts/\(server.account().id.rawValue)"
                for email in [#""first@example.org""#, #""first@example.org""#, #""second@example.org""#, "null"] {
                    let reply = try await server.send("PATCH", target, [administrator], json: #"{"email":\#(email)}"#)
                    #expect(reply.status == 200)
                }
                #expect(try await server.outbox().map { $0.recipient.reveal() } == mails)
            }
        }
    }

    @Test func aNewRequestVoidsTheCodeOfBefore() async throws {
        try await withServer(Self.settings) { server in
            let key = try await self.key(of: server.account(), server)
            _ = try await self.ask(server, key)
            let old = try await self.lastCode(server)
            _ = try await self.ask(server, key, for: "other@example.org")
            #expect(try await self.confirm(server, key, old).status == 403)
            #expect(
                try await self.confirm(server, key, self.lastCode(server)).json["email"] as? String
                    == "other@example.org")
        }
    }

    @Test func wrongForeignAndLateCodesChangeNothing() async throws {
        try await withServer(Self.settings) { server in
            let alice = try await self.key(of: server.account(), server)
            let bob = try await self.key(of: server.account("robert"), server)
            #expect(try await self.confirm(server, alice, "0123456789abc").status == 404, "none is under way")
            _ = try await self.ask(server, alice)
            let code = try await self.lastCode(server)
            _ = try await self.ask(server, bob, for: "bob@example.org")
            #expect(try await self.confirm(server, bob, code).status == 403, "another account's")
            for _ in 1...6 { #expect(try await self.confirm(server, alice, "0123456789abc").status == 403) }
            server.clock.advance(by: .seconds(24 * 3_600))
            let late = try await self.confirm(server, alice, code)
            #expect(late.status == 403)
            #expect(late.json["message"] as? String == "The code has expired.")
            #expect(
                try await self.confirm(server, alice, "0123456789abc").json["message"] as? String
                    == "The code is wrong.")
            #expect(try await server.get("/api/accounts/me", [alice]).json["email"] is NSNull)
        }
    }

    @Test func mailsAndWrongCodesAreLimited() async throws {
        let settings = Self.settings.merging(["RATE_LIMIT_MAIL_PER_MINUTE": "2", "RATE_LIMIT_CODES_PER_MINUTE": "2"]) {
            $1
        }
        try await withServer(settings) { server in
            let alice = try await self.key(of: server.account(), server)
            let bob = try await self.key(of: server.account("robert"), server)
            #expect(try await self.ask(server, alice).status == 200)
            let code = try await self.lastCode(server)
            #expect(try await self.ask(server, bob).status == 200)
            #expect(try await self.ask(server, bob).status == 429, "one mailbox, whoever asks")
            #expect(try await server.outbox().count == 2)
            for status in [403, 403, 429] {
                #expect(try await self.confirm(server, alice, "0123456789abc").status == status)
            }
            #expect(try await self.confirm(server, alice, code).status == 429)
            server.clock.advance(by: .seconds(60))
            #expect(try await self.confirm(server, alice, code).status == 200)
        }
    }
}
