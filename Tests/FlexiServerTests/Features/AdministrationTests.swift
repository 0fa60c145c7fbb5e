import Foundation
import PGClient
import Testing

@testable import FlexiServer

@Suite("Administration of accounts")
struct AdministrationTests {
    private func id(_ reply: HTTPReply) throws -> Int {
        try #require(reply.json["id"] as? Int)
    }

    // MARK: Reading

    @Test func anAccountIsShownWithWhatAnAdministratorHandsOn() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let created = try await server.create("carroll", admin)
            let reply = try await server.get("/api/accounts/\(self.id(created))", [admin])
            #expect(reply.status == 200)
            #expect(reply.header("Content-Type") == "application/json")
            #expect(reply.text == created.text)
            #expect((reply.json["confirmation_key"] as? String)?.count == 13)
        }
    }

    @Test func anAccountWithoutSecretsHasNulls() async throws {
        try await withServer { server in
            let alice = try await server.account()
            let reply = try await server.get("/api/accounts/\(alice.id.rawValue)", [server.administrator()])
            #expect(reply.text.hasSuffix(#","confirmation_key":null,"provisioning_token":null}"#))
        }
    }

    @Test(arguments: ["carroll@sip.example.org", "sip:Carroll@sip.example.org", "sips%3Acarroll%40sip.example.org"])
    func anAccountIsFoundByItsAddress(address: String) async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            _ = try await server.create("carroll", admin)
            let reply = try await server.get("/api/accounts/\(address)/search", [admin])
            #expect(reply.status == 200)
            #expect(reply.json["username"] as? String == "carroll")
            #expect(reply.json["confirmation_key"] == nil)
            #expect(try await server.get("/api/accounts/nobody@sip.example.org/search", [admin]).status == 404)
        }
    }

    @Test func aDomainAdministratorSeesNoSecretOfASuperAdministrator() async throws {
        try await withServer { server in
            let root = try await server.administrator()
            let other = try await server.account("other.root", admin: .super)
            let target = "/api/accounts/\(other.id.rawValue)"
            #expect(try await server.post(target + "/provision", [root]).status == 200)
            let lesser = try await ("x-api-key", server.apiKey(of: server.account("lesser", admin: .domain)))
            #expect(try await server.get(target, [lesser]).json["provisioning_token"] is NSNull)
            #expect(try await server.get(target, [root]).json["provisioning_token"] is String)
            for (method, path) in [
                ("DELETE", ""), ("POST", "/activate"), ("GET", "/deactivate"), ("POST", "/provision"),
            ] {
                #expect(try await server.send(method, target + path, [lesser]).status == 403)
            }
        }
    }

    // MARK: Activating

    @Test(arguments: ["GET", "POST"])
    func deactivatingRevokesAtOnceAndActivatingGivesBack(method: String) async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let alice = try await server.account()
            let key = try await server.apiKey(of: alice)
            let token = try await server.post("/api/accounts/auth_token").json["token"] as? String ?? ""
            _ = try await server.post("/api/accounts/auth_token/\(token)/attach", [("x-api-key", key)])
            let target = "/api/accounts/\(alice.id.rawValue)"
            _ = try await server.post(target + "/provision", [admin])

            let off = try await server.send(method, target + "/deactivate", [admin])
            #expect(off.status == 200)
            #expect(off.json["activated"] as? Bool == false)
            #expect(try await server.get("/api/accounts/me", [alice.from, ("x-api-key", key)]).status == 401)
            #expect(try await server.count("provisioning_tokens") == 0)
            #expect(try await server.count("auth_tokens") == 0)

            let on = try await server.send(method, target + "/activate", [admin])
            #expect(on.status == 200)
            #expect(on.json["activated"] as? Bool == true)
            #expect(try await server.get("/api/accounts/me", [("x-api-key", key)]).status == 200)
        }
    }

    @Test func aDeactivatedAccountIsNotActivatedByItsKey() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let created = try await server.create("carroll", admin)
            let key = try #require(created.json["confirmation_key"] as? String)
            _ = try await server.post("/api/accounts/\(self.id(created))/deactivate", [admin])
            let reply = try await server.post(
                "/api/accounts/carroll@sip.example.org/activate/email", json: #"{"code":"\#(key)"}"#)
            #expect(reply.status == 404)
        }
    }

    // MARK: Provisioning

    @Test func provisioningAgainVoidsTheTokenOfBefore() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let created = try await server.create("carroll", admin)
            let old = try #require(created.json["provisioning_token"] as? String)
            let reply = try await server.post("/api/accounts/\(self.id(created))/provision", [admin])
            #expect(reply.status == 200)
            let new = try #require(reply.json["provisioning_token"] as? String)
            #expect(reply.json["confirmation_key"] as? String == created.json["confirmation_key"] as? String)
            #expect(try await !server.get("/provisioning/\(old)").text.contains("carroll"))
            #expect(try await server.get("/provisioning/\(new)").text.contains("carroll"))
            #expect(try await !server.get("/provisioning/\(new)").text.contains("carroll"))
        }
    }

    // MARK: Deleting

    @Test func aDeletedAccountIsGoneAndItsNameIsKept() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let alice = try await server.account()
            let target = "/api/accounts/\(alice.id.rawValue)"
            let reply = try await server.send("DELETE", target, [admin])
            #expect(reply.status == 200)
            #expect(reply.text == "{}")
            #expect(try await server.send("DELETE", target, [admin]).status == 404)
            #expect(try await server.count("account_tombstones WHERE username = 'alice'") == 1)
        }
    }

    @Test func theLastSuperAdministratorStays() async throws {
        try await withServer { server in
            let root = try await server.account("root.admin", admin: .super)
            let key = try await ("x-api-key", server.apiKey(of: root))
            let target = "/api/accounts/\(root.id.rawValue)"
            #expect(try await server.post(target + "/deactivate", [key]).status == 403)
            #expect(try await server.send("DELETE", target, [key]).status == 403)
            #expect(try await server.get(target, [key]).json["activated"] as? Bool == true)
        }
    }

    @Test func ofTwoSuperAdministratorsWhoDeactivateEachOtherOneStays() async throws {
        try await withServer { server in
            let first = try await server.account("first.admin", admin: .super)
            let second = try await server.account("second.admin", admin: .super)
            let keys = try await [server.apiKey(of: first), server.apiKey(of: second)]
            let statuses = try await race(2) { index in
                let other = index == 0 ? second : first
                return try await server.post(
                    "/api/accounts/\(other.id.rawValue)/deactivate", [("x-api-key", keys[index])]
                ).status
            }
            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(try await server.count("accounts WHERE activated") == 1)
        }
    }

    // MARK: Isolation

    @Test(arguments: [
        ("GET", ""), ("DELETE", ""), ("GET", "/activate"), ("POST", "/activate"), ("GET", "/deactivate"),
        ("POST", "/deactivate"), ("GET", "/provision"), ("POST", "/provision"), ("GET", "/contacts"),
        ("GET", "/actions"),
    ])
    func aForeignAccountIsAMissingOne(method: String, path: String) async throws {
        try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": "true"]) { server in
            let admin = try await server.administrator(.domain)
            let foreign = try await server.account("bob.other", domain: "other.example.org")
            let reply = try await server.send(method, "/api/accounts/\(foreign.id.rawValue)\(path)", [admin])
            let missing = try await server.send(method, "/api/accounts/999999\(path)", [admin])
            #expect(reply.status == 404)
            #expect(reply.text == missing.text)
            #expect(try await server.count("accounts WHERE activated") == 2)
            #expect(try await server.count("provisioning_tokens") == 0)
            #expect(try await server.get("/api/accounts/bob.other@other.example.org/search", [admin]).status == 404)
        }
    }
}
