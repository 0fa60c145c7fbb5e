import Foundation
import PGClient
import Testing

@testable import FlexiServer

@Suite("Account creation tokens")
struct AccountCreationTokensTests {
    private func newToken(_ server: TestServer, _ admin: (String, String)) async throws -> String {
        let reply = try await server.post("/api/account_creation_tokens", [admin])
        #expect(reply.status == 201)
        let match = try #require(
            reply.text.wholeMatch(
                of: /\{"token":"([A-Za-z0-9]{13})","updated_at":"[^"]+","created_at":"[^"]+","id":[0-9]+\}/))
        return String(match.1)
    }

    private func registration(
        _ token: String, _ username: String = "carroll", field: String = "account_creation_token", more: String = ""
    ) -> String {
        #"{"username":"\#(username)","password":"wonderland","algorithm":"SHA-256","\#(field)":"\#(token)"\#(more)}"#
    }

    @Test func theOtherNameOfATokenMayBeNull() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            for (field, other) in [("token", "account_creation_token"), ("account_creation_token", "token")] {
                let token = try await self.newToken(server, admin)
                let body = self.registration(token, "name.\(field)", field: field, more: #","\#(other)":null"#)
                #expect(try await server.post("/api/accounts/with-token", json: body).status == 200)
            }
        }
    }

    @Test(arguments: [
        ("/api/accounts/with-account-creation-token", "account_creation_token"), ("/api/accounts/with-token", "token"),
    ])
    func aTokenMakesOneActiveAccount(path: String, field: String) async throws {
        try await withServer { server in
            let token = try await self.newToken(server, server.administrator())
            let body = self.registration(
                token, field: field, more: #","domain":"other.example.org","dtmf_protocol":"sipinfo""#)
            let reply = try await server.post(path, [("User-Agent", "Phone/1")], json: body)
            #expect(reply.status == 200)
            #expect(reply.json["username"] as? String == "carroll")
            #expect(reply.json["domain"] as? String == "sip.example.org")
            #expect(reply.json["activated"] as? Bool == true)
            #expect(reply.json["dtmf_protocol"] as? String == "sipinfo")
            #expect(reply.json["user_agent"] as? String == "Phone/1")
            #expect(reply.json["confirmation_key"] == nil)
            #expect(reply.json["provisioning_token"] == nil)
            #expect(!server.log.lines.contains { $0.contains(token) })

            let again = try await server.post(
                path, json: self.registration(token, "dodgson", field: field))
            #expect(again.status == 422)
            #expect((again.json["errors"] as? [String: Any])?.keys.sorted() == [field])
            #expect(try await server.count("accounts") == 2)
        }
    }

    @Test func aNewAccountProvesItselfByItsPassword() async throws {
        try await withServer { server in
            let token = try await self.newToken(server, server.administrator())
            let reply = try await server.post("/api/accounts/with-token", json: self.registration(token))
            let id = try #require(reply.json["id"] as? Int64 ?? (reply.json["id"] as? Int).map(Int64.init))
            let account = TestAccount(
                id: .init(rawValue: id), username: "carroll", domain: "sip.example.org", password: "wonderland")
            let digest = try await server.digest(account)
            let me = try await server.get(
                "/api/accounts/me", [account.from, digest.authorization("GET", "/api/accounts/me")])
            #expect(me.status == 200)
        }
    }

    @Test func theSettingLeavesTheAccountToTheAdministrator() async throws {
        try await withServer(["CREATION_TOKEN_ACTIVATES": "false"]) { server in
            let token = try await self.newToken(server, server.administrator())
            let reply = try await server.post("/api/accounts/with-token", json: self.registration(token))
            #expect(reply.json["activated"] as? Bool == false)
        }
    }

    @Test func aRefusedCreationLeavesTheTokenUnused() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            _ = try await server.account("taken.name")
            try await server.services.database.execute(
                """
                INSERT INTO flexi.account_tombstones (domain_id, username)
                SELECT id, 'buried.name' FROM flexi.domains WHERE name = 'sip.example.org'
                """
            )
            let token = try await self.newToken(server, admin)
            for name in ["taken.name", "buried.name"] {
                let reply = try await server.post("/api/accounts/with-token", json: self.registration(token, name))
                #expect(reply.status == 422)
                #expect((reply.json["errors"] as? [String: Any])?.keys.sorted() == ["username"])
            }
            // There is no driver for either, and nothing may be stored.
            for more in [#","email":"carroll@example.org""#, #","phone":"+33612345678""#] {
                let reply = try await server.post(
                    "/api/accounts/with-token", json: self.registration(token, more: more))
                #expect(reply.status == 503)
            }
            #expect(try await server.count("accounts") == 2)
            #expect(
                try await server.post("/api/accounts/with-token", json: self.registration(token)).status == 200)
        }
    }

    // MARK: With something to confirm

    private static let drivers = ["MAIL_DRIVER": "log", "SMS_DRIVER": "log"]
    private static let email = #","email":"carroll@example.org""#
    private static let phone = #","phone":"+33612345678""#

    /// The status of an activation by the code of a message.
    private func activate(_ server: TestServer, by purpose: String, _ message: OutboxMessage?) async throws -> Int {
        let code = try #require(message?.code?.reveal())
        return try await server.post(
            "/api/accounts/carroll@sip.example.org/activate/\(purpose)", json: #"{"code":"\#(code)"}"#
        ).status
    }

    @Test func anAccountWithAMailAddressIsActivatedByTheMailsCode() async throws {
        try await withServer(Self.drivers) { server in
            let token = try await self.newToken(server, server.administrator())
            let reply = try await server.post(
                "/api/accounts/with-account-creation-token",
                json: self.registration(token, more: Self.email))
            #expect(reply.status == 200)
            #expect(reply.json["activated"] as? Bool == false)
            #expect(reply.json["email"] as? String == "carroll@example.org")
            #expect(reply.json["confirmation_key"] == nil)
            let messages = try await server.outbox()
            #expect(messages.map(\.kind) == [.activation])
            #expect(messages.first?.recipient.reveal() == "carroll@example.org")
            server.clock.advance(by: .seconds(86_400))
            #expect(try await self.activate(server, by: "email", messages.first) == 200)
            #expect(try await self.activate(server, by: "email", messages.first) == 404)
            let confirmation = try #require(try await server.outbox().last)
            #expect(confirmation.kind == .registrationConfirmed)
            #expect(confirmation.recipient.reveal() == "carroll@example.org")
            #expect(try await server.outbox().count == 2, "one says that it worked")
        }
    }

    @Test(arguments: ["", email])
    func whoRegistersInFrenchIsWrittenToInFrenchFromThenOn(more: String) async throws {
        try await withServer(Self.drivers) { server in
            let token = try await self.newToken(server, server.administrator())
            let reply = try await server.post(
                "/api/accounts/with-token", [("Accept-Language", "fr")], json: self.registration(token, more: more))
            #expect(reply.status == 200)
            if !more.isEmpty {
                #expect(try await self.activate(server, by: "email", server.outbox().last) == 200)
            }
            let id = try #require(reply.json["id"] as? Int64)
            let key = try await server.apiKey(
                of: TestAccount(
                    id: Account.ID(rawValue: id), username: "carroll", domain: "sip.example.org", password: ""))
            let asked = try await server.post(
                "/api/accounts/me/email/request", [("x-api-key", key)], json: #"{"email":"new@example.org"}"#)
            #expect(asked.status == 200)
            let messages = try await server.outbox()
            #expect(
                messages.map(\.kind)
                    == (more.isEmpty ? [] : [.activation, .registrationConfirmed]) + [.confirmAddress])
            #expect(messages.allSatisfy { $0.language == .french })
        }
    }

    @Test(arguments: ["phone", "email"])
    func anAccountWithANumberIsActivatedByThePIN(purpose: String) async throws {
        try await withServer(Self.drivers) { server in
            let token = try await self.newToken(server, server.administrator())
            let reply = try await server.post(
                "/api/accounts/with-token", json: self.registration(token, more: Self.phone))
            #expect(reply.status == 200)
            #expect(reply.json["activated"] as? Bool == false)
            #expect(reply.json["phone"] as? String == "+33612345678")
            let messages = try await server.outbox()
            #expect(messages.map(\.kind) == [.pin])
            #expect(messages.first?.recipient.reveal() == "+33612345678")
            #expect(try await self.activate(server, by: purpose, messages.first) == 200)
        }
    }

    @Test func aPINLivesForTenMinutes() async throws {
        try await withServer(Self.drivers) { server in
            let token = try await self.newToken(server, server.administrator())
            _ = try await server.post("/api/accounts/with-token", json: self.registration(token, more: Self.phone))
            server.clock.advance(by: .seconds(600))
            #expect(try await self.activate(server, by: "phone", server.outbox().first) == 403)
        }
    }

    @Test func eitherCodeIsEnough() async throws {
        try await withServer(Self.drivers) { server in
            let token = try await self.newToken(server, server.administrator())
            _ = try await server.post(
                "/api/accounts/with-token", json: self.registration(token, more: Self.email + Self.phone))
            let messages = try await server.outbox()
            #expect(messages.map(\.kind) == [.activation, .pin])
            #expect(try await self.activate(server, by: "phone", messages.last) == 200)
            #expect(try await self.activate(server, by: "email", messages.first) == 404, "nothing is left to activate")
        }
    }

    @Test(arguments: ["in time", "late", "after five wrong tries", "after housekeeping"])
    func aNumberWhosePINDidNotComeBackIsNotTheAccounts(when: String) async throws {
        try await withServer(Self.drivers.merging(["EXPIRED_CODE_DAYS": "1"]) { $1 }) { server in
            let token = try await self.newToken(server, server.administrator())
            let made = try await server.post(
                "/api/accounts/with-token", json: self.registration(token, more: Self.email + Self.phone))
            #expect(made.json["phone"] as? String == "+33612345678")
            let messages = try await server.outbox()
            switch when {
            case "late": server.clock.advance(by: .seconds(601))
            case "after housekeeping":
                server.clock.advance(by: .seconds(86_400 * 2))
                _ = try await Housekeeping(services: server.services).run(waits: false)
                #expect(try await server.count("activation_codes") == 1)
            case "after five wrong tries":
                let pin = try #require(messages.last?.code?.reveal())
                for _ in 1...5 {
                    let wrong = try await server.post(
                        "/api/accounts/carroll@sip.example.org/activate/phone",
                        json: #"{"code":"\#(pin == "0000" ? "1111" : "0000")"}"#)
                    #expect(wrong.status == 404)
                }
            default: break
            }
            #expect(try await self.activate(server, by: "email", messages.first) == 200)
            #expect(
                try await server.count("accounts WHERE activated AND email = 'carroll@example.org' AND phone IS NULL")
                    == 1)
            #expect(try await server.count("phone_numbers") == 0, "whose it is can have it")
        }
    }

    @Test func anAdministratorsNumberNeedsNoPIN() async throws {
        try await withServer(Self.drivers) { server in
            let admin = try await server.administrator()
            let token = try await self.newToken(server, admin)
            let made = try await server.post(
                "/api/accounts/with-token", json: self.registration(token, more: Self.email + Self.phone))
            let messages = try await server.outbox()
            let id = try #require(made.json["id"] as? Int)
            let changed = try await server.send(
                "PATCH", "/api/accounts/\(id)", [admin], json: #"{"phone":"+33612345679"}"#)
            #expect(changed.status == 200)
            #expect(try await self.activate(server, by: "phone", messages.last) == 404, "it was sent to another number")
            #expect(try await self.activate(server, by: "email", messages.first) == 200)
            let found = try await server.get("/api/accounts/carroll@sip.example.org/search", [admin])
            #expect(found.json["phone"] as? String == "+33612345679")
        }
    }

    @Test func aRefusedCreationSendsNothing() async throws {
        let settings = Self.drivers.merging(["SMS_DAILY_TOTAL": "1", "RATE_LIMIT_MAIL_PER_MINUTE": "1"]) { $1 }
        try await withServer(settings) { server in
            let admin = try await server.administrator()
            _ = try await server.account("taken.name")
            let token = try await self.newToken(server, admin)
            let taken = try await server.post(
                "/api/accounts/with-token", json: self.registration(token, "taken.name", more: Self.email + Self.phone))
            #expect(taken.status == 422)
            #expect(try await server.count("outbox") == 0)
            let made = try await server.post(
                "/api/accounts/with-token", json: self.registration(token, more: Self.email + Self.phone))
            #expect(made.status == 200, "a refusal counts for no limit")
            let other = try await self.newToken(server, admin)
            for more in [#","email":"carroll@example.org""#, #","phone":"+33612345679""#] {
                let refused = try await server.post(
                    "/api/accounts/with-token", json: self.registration(other, "other.name", more: more))
                #expect(refused.status == 429)
                #expect(refused.header("Retry-After") != nil)
            }
            #expect(try await server.count("outbox") == 2)
            #expect(
                try await server.post("/api/accounts/with-token", json: self.registration(other, "other.name")).status
                    == 200)
        }
    }

    @Test func everyWrongFieldIsNamed() async throws {
        try await withServer { server in
            let empty = try await server.post("/api/accounts/with-account-creation-token")
            #expect(empty.status == 422)
            #expect(
                (empty.json["errors"] as? [String: Any])?.keys.sorted()
                    == ["account_creation_token", "algorithm", "password", "username"])
            let wrong = try await server.post(
                "/api/accounts/with-account-creation-token",
                json:
                    #"{"username":"Up","password":"short","algorithm":"CRC","account_creation_token":1,"email":"x","phone":"5","dtmf_protocol":"tone"}"#
            )
            #expect(wrong.status == 422)
            #expect(
                (wrong.json["errors"] as? [String: Any])?.keys.sorted()
                    == [
                        "account_creation_token", "algorithm", "dtmf_protocol", "email", "password", "phone",
                        "username",
                    ])
        }
    }

    @Test func theAccountIsMadeInTheDomainOfTheAdministrator() async throws {
        try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": "true"]) { server in
            let token = try await self.newToken(
                server, server.administrator(.domain, domain: "other.example.org"))
            let reply = try await server.post(
                "/api/accounts/with-token", json: self.registration(token, more: #","domain":"sip.example.org""#))
            #expect(reply.status == 200)
            #expect(reply.json["domain"] as? String == "other.example.org")
        }
    }

    @Test func onlyAdministratorsMakeTokens() async throws {
        try await withServer { server in
            let key = try await server.apiKey(of: server.account())
            #expect(try await server.post("/api/account_creation_tokens", [("x-api-key", key)]).status == 403)
            #expect(try await server.post("/api/account_creation_tokens").status == 422)
            #expect(try await server.count("account_creation_tokens") == 0)
        }
    }

    @Test func ofRacingCreationsWithOneTokenOneWins() async throws {
        try await withServer { server in
            let token = try await self.newToken(server, server.administrator())
            let statuses = try await race(32) { index in
                try await server.post("/api/accounts/with-token", json: self.registration(token, "racer.\(index)"))
                    .status
            }
            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 422 }.count == 31)
            #expect(try await server.count("accounts") == 2)
        }
    }

    @Test func ofRacingCreationsOfOneNameOneWinsAndTheOthersKeepTheirTokens() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            var tokens: [String] = []
            for _ in 0..<32 { try await tokens.append(self.newToken(server, admin)) }
            let statuses = try await race(32) { [tokens] index in
                try await server.post("/api/accounts/with-token", json: self.registration(tokens[index])).status
            }
            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 422 }.count == 31)
            #expect(try await server.count("accounts") == 2)
            #expect(try await server.count("account_creation_tokens WHERE used_at IS NOT NULL") == 1)
        }
    }
}
