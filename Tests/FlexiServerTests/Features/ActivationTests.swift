import Foundation
import PGClient
import Testing

@testable import FlexiServer

@Suite("Activation")
struct ActivationTests {
    private let email = "/api/accounts/carroll@sip.example.org/activate/email"
    private let phone = "/api/accounts/carroll@sip.example.org/activate/phone"

    private func newKey(_ server: TestServer, more: String = "") async throws -> String {
        let reply = try await server.create("carroll", server.administrator(), more: more)
        return try #require(reply.json["confirmation_key"] as? String)
    }

    /// An account that waits for the PIN 1234, which lives ten minutes.
    private func awaitPIN(_ server: TestServer) async throws {
        let account = try await server.account("carroll", isActive: false)
        let hash = try #require(PIN("1234")).hash(
            for: .activation, of: account.id.rawValue, key: server.services.keys.code)
        try await server.services.database.execute(
            """
            INSERT INTO flexi.activation_codes (account_id, purpose, code_hash, expires_at)
            VALUES (\(account.id), 'phone', \(hash), \(server.clock.now.addingTimeInterval(600)))
            """
        )
    }

    private func code(_ text: String) -> String { #"{"code":"\#(text)"}"# }

    @Test(arguments: ["carroll@sip.example.org", "carroll%40sip.example.org", "sip:Carroll@sip.example.org"])
    func theKeyActivatesOnce(address: String) async throws {
        try await withServer { server in
            let key = try await self.newKey(server)
            let target = "/api/accounts/\(address)/activate/email"
            let reply = try await server.post(target, json: self.code(key))
            #expect(reply.status == 200)
            #expect(reply.header("Content-Type") == "application/json")
            #expect(reply.json["username"] as? String == "carroll")
            #expect(reply.json["activated"] as? Bool == true)
            #expect(reply.json["confirmation_key"] == nil)
            #expect(!server.log.lines.contains { $0.contains(key) })
            #expect(try await server.post(target, json: self.code(key)).status == 404)
            #expect(try await server.count("activation_codes") == 0)
        }
    }

    @Test func aWrongKeyAnUnknownAccountAndAForeignDomainAreOneAnswer() async throws {
        try await withServer { server in
            let key = try await self.newKey(server)
            let wrong = try await server.post(self.email, json: self.code("aaaaaaaaaaaaa"))
            #expect(wrong.status == 404)
            for address in ["nobody@sip.example.org", "carroll@other.example.org"] {
                let reply = try await server.post("/api/accounts/\(address)/activate/email", json: self.code(key))
                #expect(reply.status == 404)
                #expect(reply.text == wrong.text)
            }
            // Anybody could void the key otherwise.
            for _ in 0..<8 { _ = try await server.post(self.email, json: self.code("aaaaaaaaaaaaa")) }
            #expect(try await server.post(self.email, json: self.code(key)).status == 200)
        }
    }

    @Test func onlyTheRightKeyIsToldThatItExpired() async throws {
        try await withServer { server in
            let expires = TimeText.plain(server.clock.now.addingTimeInterval(60))
            let key = try await self.newKey(server, more: #","confirmation_key_expires":"\#(expires)""#)
            server.clock.advance(by: .seconds(60))
            #expect(try await server.post(self.email, json: self.code("aaaaaaaaaaaaa")).status == 404)
            #expect(try await server.post(self.email, json: self.code(key)).status == 403)
            #expect(try await server.count("accounts WHERE activated") == 1, "the administrator alone")
        }
    }

    @Test(arguments: ["email", "phone"])
    func aPINActivatesOnEitherPath(path: String) async throws {
        try await withServer { server in
            try await self.awaitPIN(server)
            let reply = try await server.post(path == "email" ? self.email : self.phone, json: self.code("1234"))
            #expect(reply.status == 200)
            #expect(reply.json["activated"] as? Bool == true)
        }
    }

    @Test func fiveWrongTriesBurnAPIN() async throws {
        try await withServer { server in
            try await self.awaitPIN(server)
            for _ in 0..<4 { #expect(try await server.post(self.phone, json: self.code("4321")).status == 404) }
            #expect(try await server.post(self.email, json: self.code("4321")).status == 404)
            #expect(try await server.post(self.phone, json: self.code("1234")).status == 404)
            #expect(try await server.count("accounts WHERE activated") == 0)
        }
    }

    @Test func racingGuessesAreCountedOneByOne() async throws {
        try await withServer { server in
            try await self.awaitPIN(server)
            let statuses = try await race(32) { _ in
                try await server.post(self.phone, json: self.code("4321")).status
            }
            #expect(statuses.allSatisfy { $0 == 404 })
            #expect(try await server.count("activation_codes WHERE attempts = 5") == 1)
        }
    }

    @Test func ofRacingGuessesNoMoreAreExaminedThanTheLimitAllows() async throws {
        try await withServer(["RATE_LIMIT_CODES_PER_MINUTE": "3"]) { server in
            let key = try await self.newKey(server)
            let statuses = try await race(32) { _ in
                try await server.post(self.email, json: self.code("aaaaaaaaaaaaa")).status
            }
            #expect(statuses.count { $0 == 404 } == 3)
            #expect(statuses.count { $0 == 429 } == 29)
            #expect(try await server.post(self.email, json: self.code(key)).status == 429)
            server.clock.advance(by: .seconds(60))
            #expect(try await server.post(self.email, json: self.code(key)).status == 200)
        }
    }

    @Test func ofRacingActivationsOneWins() async throws {
        try await withServer { server in
            let key = try await self.newKey(server)
            let statuses = try await race(32) { _ in try await server.post(self.email, json: self.code(key)).status }
            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 404 }.count == 31)
        }
    }

    @Test func anExpiredPINIsRefused() async throws {
        try await withServer { server in
            try await self.awaitPIN(server)
            server.clock.advance(by: .seconds(600))
            #expect(try await server.post(self.phone, json: self.code("1234")).status == 403)
        }
    }

    @Test func aKeyIsNoPIN() async throws {
        try await withServer { server in
            let key = try await self.newKey(server)
            let reply = try await server.post(self.phone, json: self.code(key))
            #expect(reply.status == 422)
            #expect((reply.json["errors"] as? [String: Any])?.keys.sorted() == ["code"])
        }
    }

    @Test(arguments: [#"{}"#, #"{"code":""}"#, #"{"code":1234}"#, #"{"code":"12345"}"#, #"{"code":"aaaaaaaaaaaaaa"}"#])
    func aCodeOfAnotherFormIsInvalid(body: String) async throws {
        try await withServer { server in
            for target in [self.email, self.phone] {
                let reply = try await server.post(target, json: body)
                #expect(reply.status == 422)
                #expect((reply.json["errors"] as? [String: Any])?.keys.sorted() == ["code"])
            }
        }
    }

    @Test func whomAnAdministratorDeactivatedNoCodeActivates() async throws {
        try await withServer { server in
            let key = try await self.newKey(server)
            try await server.services.database.execute("UPDATE flexi.accounts SET blocked = true WHERE NOT activated")
            #expect(try await server.post(self.email, json: self.code(key)).status == 404)
        }
    }
}
