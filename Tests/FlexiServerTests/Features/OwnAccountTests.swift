import DigestAuth
import Foundation
import PGClient
import Testing

@testable import FlexiServer

@Suite("One's own account")
struct OwnAccountTests {
    private let target = "/api/accounts/me/password"

    private func change(_ old: String?, to new: String = "wonderland", algorithm: String = "SHA-256") -> String {
        let old = old.map { #","old_password":"\#($0)""# } ?? ""
        return #"{"algorithm":"\#(algorithm)","password":"\#(new)"\#(old)}"#
    }

    private func reads(_ server: TestServer, _ account: TestAccount, password: String) async throws -> Int {
        let account = TestAccount(
            id: account.id, username: account.username, domain: account.domain, password: password)
        let digest = try await server.digest(account)
        return try await server.get(
            "/api/accounts/me", [account.from, digest.authorization("GET", "/api/accounts/me")]
        ).status
    }

    // MARK: Password

    @Test(arguments: ["MD5", "SHA-256"])
    func theNewPasswordTakesThePlaceOfTheOldOneAtOnce(algorithm: String) async throws {
        try await withServer { server in
            let alice = try await server.account(algorithms: [.md5, .sha256])
            let key = try await server.apiKey(of: alice)
            let reply = try await server.post(
                self.target, [("x-api-key", key)], json: self.change("secret!", algorithm: algorithm))
            #expect(reply.status == 200)
            #expect(reply.text == "{}")
            let me = try await server.get("/api/accounts/me", [("x-api-key", key)])
            #expect(me.text.contains(#""passwords":[{"algorithm":"\#(algorithm)"}]"#))
            #expect(try await self.reads(server, alice, password: "wonderland") == 200)
            #expect(try await self.reads(server, alice, password: "secret!") == 401)
        }
    }

    @Test func everySecretButTheOneInUseIsRevoked() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let own = try await server.apiKey(of: alice)
            let named = try await server.apiKey(of: alice, name: "billing")
            let token = try await server.post("/api/accounts/auth_token").json["token"] as? String ?? ""
            _ = try await server.post("/api/accounts/auth_token/\(token)/attach", [("x-api-key", own)])
            #expect(
                try await server.post(self.target, [("x-api-key", own)], json: self.change("secret!")).status == 200)
            #expect(try await server.get("/api/accounts/me/api_key/\(token)").status == 404)
            #expect(try await server.get("/api/accounts/me", [("x-api-key", own)]).status == 200)

            let again = try await server.post(
                self.target, [("x-api-key", named)], json: self.change("wonderland", to: "looking-glass"))
            #expect(again.status == 200)
            #expect(try await server.get("/api/accounts/me", [("x-api-key", named)]).status == 200)
            #expect(try await server.get("/api/accounts/me", [alice.from, ("x-api-key", own)]).status == 401)
        }
    }

    @Test(arguments: [nil, "Secret!", " secret!", ""])
    func withoutTheOldPasswordNothingChanges(old: String?) async throws {
        try await withServer { server in
            let alice = try await server.account()
            let reply = try await server.post(
                self.target, [("x-api-key", server.apiKey(of: alice))], json: self.change(old))
            #expect(reply.status == 422)
            #expect((reply.json["errors"] as? [String: Any])?.keys.sorted() == ["old_password"])
            #expect(try await self.reads(server, alice, password: "secret!") == 200)
        }
    }

    @Test func theFirstPasswordNeedsNoOldOne() async throws {
        try await withServer { server in
            let alice = try await server.account(algorithms: [])
            let reply = try await server.post(
                self.target, [("x-api-key", server.apiKey(of: alice))], json: self.change(nil))
            #expect(reply.status == 200)
            #expect(try await self.reads(server, alice, password: "wonderland") == 200)
        }
    }

    @Test func everyWrongFieldIsNamed() async throws {
        try await withServer { server in
            let key = try await server.apiKey(of: server.account())
            let reply = try await server.post(
                self.target, [("x-api-key", key)], json: #"{"algorithm":"CRC","password":"short","old_password":1}"#)
            #expect(reply.status == 422)
            #expect(
                (reply.json["errors"] as? [String: Any])?.keys.sorted() == ["algorithm", "old_password", "password"])
        }
    }

    @Test func ofRacingChangesFromOnePasswordOneWins() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let key = try await server.apiKey(of: alice)
            let statuses = try await race(32) { index in
                try await server.post(
                    self.target, [("x-api-key", key)], json: self.change("secret!", to: "wonderland\(index)")
                ).status
            }
            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 422 }.count == 31)
        }
    }

    // MARK: Deletion

    @Test func aDeletedAccountIsGoneAtOnceAndItsNameIsKept() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let alice = try await server.account("carroll")
            let key = try await server.apiKey(of: alice)
            let reply = try await server.send("DELETE", "/api/accounts/me", [("x-api-key", key)])
            #expect(reply.status == 200)
            #expect(reply.text == "{}")
            #expect(try await server.get("/api/accounts/me", [alice.from, ("x-api-key", key)]).status == 401)
            #expect(try await server.get("/api/accounts/carroll@sip.example.org/info").status == 404)

            let token = try await server.post("/api/account_creation_tokens", [admin]).json["token"] as? String ?? ""
            let body = #"{"username":"carroll","password":"wonderland","algorithm":"MD5","token":"\#(token)"}"#
            #expect(try await server.post("/api/accounts/with-token", json: body).status == 422)
            #expect(try await server.create("carroll", admin).status == 200, "an administrator may")
        }
    }

    @Test func ofTwoSuperAdministratorsWhoLeaveAtOnceOneStays() async throws {
        try await withServer { server in
            let keys = try await [
                server.apiKey(of: server.account("first.admin", admin: .super)),
                server.apiKey(of: server.account("second.admin", admin: .super)),
            ]
            let statuses = try await race(2) { index in
                try await server.send("DELETE", "/api/accounts/me", [("x-api-key", keys[index])]).status
            }
            #expect(statuses.sorted() == [200, 403])
            #expect(try await server.count("admins") == 1)
        }
    }

    @Test func anInactiveSuperAdministratorDoesNotCount() async throws {
        try await withServer { server in
            _ = try await server.account("first.admin", isActive: false, admin: .super)
            let admin = try await server.administrator()
            #expect(try await server.send("DELETE", "/api/accounts/me", [admin]).status == 403)
            #expect(try await server.count("account_tombstones") == 0)
        }
    }
}
