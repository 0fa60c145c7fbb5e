import Foundation
import PGClient
import Testing

@testable import FlexiServer

@Suite("Changing accounts")
struct AccountChangeTests {
    private func target(_ account: TestAccount) -> String {
        "/api/accounts/\(account.id.rawValue)"
    }

    private func reads(_ server: TestServer, _ account: TestAccount, password: String) async throws -> Int {
        let account = TestAccount(
            id: account.id, username: account.username, domain: account.domain, password: password)
        let digest = try await server.digest(account)
        return try await server.get(
            "/api/accounts/me", [account.from, digest.authorization("GET", "/api/accounts/me")]
        ).status
    }

    private static let profile =
        #"{"email":"alice@example.org","phone":"+33612345678","display_name":"Alice","dtmf_protocol":"rfc2833"}"#

    // MARK: Fields

    @Test func fieldsThatAreSentChangeAndTheOthersStay() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let alice = try await server.account()
            let first = try await server.send("PATCH", self.target(alice), [admin], json: Self.profile)
            #expect(first.status == 200)
            #expect(first.header("Content-Type") == "application/json")
            #expect(first.header("Cache-Control") == "no-store")
            #expect(first.json["email"] as? String == "alice@example.org")
            #expect(first.json["phone"] as? String == "+33612345678")
            #expect(first.json["display_name"] as? String == "Alice")
            #expect(first.json["dtmf_protocol"] as? String == "rfc2833")
            #expect(first.json["confirmation_key"] == nil)
            let second = try await server.send("PATCH", self.target(alice), [admin], json: #"{"display_name":"A."}"#)
            #expect(second.text == first.text.replacing(#""display_name":"Alice""#, with: #""display_name":"A.""#))
            #expect(try await server.send("PATCH", self.target(alice), [admin], json: "{}").text == second.text)
            #expect(try await server.get("/api/accounts/me", [admin]).json["phone"] is NSNull)
        }
    }

    @Test(arguments: ["null", #""""#, #""  ""#])
    func nothingClears(value: String) async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let alice = try await server.account()
            _ = try await server.send("PATCH", self.target(alice), [admin], json: Self.profile)
            let reply = try await server.send(
                "PATCH", self.target(alice), [admin],
                json: #"{"email":\#(value),"phone":\#(value),"display_name":\#(value),"dtmf_protocol":\#(value)}"#)
            #expect(reply.status == 200)
            for field in ["email", "phone", "display_name", "dtmf_protocol"] { #expect(reply.json[field] is NSNull) }
            #expect(try await server.count("phone_numbers") == 0)
        }
    }

    @Test func aWholeChangeClearsWhatItDoesNotSay() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let alice = try await server.account(admin: .domain)
            _ = try await server.send("PATCH", self.target(alice), [admin], json: Self.profile)
            let reply = try await server.send(
                "PUT", self.target(alice), [admin],
                json: #"{"username":"alice","domain":"sip.example.org","activated":"1","email":"a@example.org"}"#)
            #expect(reply.status == 200)
            #expect(reply.json["email"] as? String == "a@example.org")
            #expect(reply.json["activated"] as? Bool == true)
            for field in ["phone", "display_name", "dtmf_protocol"] { #expect(reply.json[field] is NSNull) }
            #expect(reply.json["admin"] is [String: Any], "who may not send it does not take it away")
            #expect(try await self.reads(server, alice, password: "secret!") == 200)

            let refused = try await server.send("PUT", self.target(alice), [admin], json: "{}")
            #expect(refused.status == 422)
            #expect(refused.errors("activated") == ["The activated is missing."])
        }
    }

    @Test func whatWasReadCanBeWrittenBack() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let alice = try await server.account()
            let before = try await server.get(self.target(alice), [admin]).text
            #expect(before.contains(#""admin":null"#))
            #expect(try await server.send("PUT", self.target(alice), [admin], json: before).status == 200)
            #expect(try await server.get(self.target(alice), [admin]).text == before)
            let named = try await server.send(
                "PUT", self.target(alice), [admin], json: #"{"username":"ALICE","activated":true,"password":null}"#)
            #expect(named.status == 200)
        }
    }

    @Test func everyWrongFieldIsNamedAndNothingChanges() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let alice = try await server.account()
            let before = try await server.get(self.target(alice), [admin]).text
            let reply = try await server.send(
                "PATCH", self.target(alice), [admin],
                json:
                    #"{"email":"x","phone":"12","display_name":"a\nb","dtmf_protocol":"x","activated":null,"admin":2,"password":null}"#
            )
            #expect(reply.status == 422)
            #expect(
                (reply.json["errors"] as? [String: Any])?.keys.sorted() == [
                    "activated", "admin", "algorithm", "display_name", "dtmf_protocol", "email", "password", "phone",
                ])
            #expect(try await server.get(self.target(alice), [admin]).text == before)
        }
    }

    @Test(arguments: [("username", "malice"), ("domain", "other.example.org")])
    func anAccountKeepsItsName(field: String, value: String) async throws {
        try await withServer { server in
            let alice = try await server.account()
            let reply = try await server.send(
                "PATCH", self.target(alice), [server.administrator()],
                json: #"{"\#(field)":"\#(value)","display_name":"M."}"#)
            #expect(reply.status == 422)
            #expect(reply.errors(field) == ["The \(field) cannot change: the password's hashes are bound to it."])
            #expect(try await server.get(self.target(alice), [server.apiKey(of: alice).asHeader]).status == 403)
            let stored = try await server.services.database.query(
                "SELECT display_name FROM flexi.accounts WHERE id = \(alice.id)")[0].decode(String?.self)
            #expect(stored == nil)
        }
    }

    // MARK: Phone numbers

    @Test func aNumberOfAnotherAccountIsRefused() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            _ = try await server.create("carroll", admin, more: #","phone":"+33612345678""#)
            let reply = try await server.send("PATCH", self.target(server.account()), [admin], json: Self.profile)
            #expect(reply.status == 422)
            #expect(reply.errors("phone") == ["The phone belongs to another account."])
        }
    }

    @Test func ofRacingChangesToOneNumberOneWins() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            var accounts: [TestAccount] = []
            for index in 0..<32 { accounts.append(try await server.account("racer\(index)")) }
            let targets = accounts.map(self.target)
            let statuses = try await race(32) { index in
                try await server.send("PATCH", targets[index], [admin], json: #"{"phone":"+33612345678"}"#).status
            }
            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 422 }.count == 31)
            #expect(try await server.count("phone_numbers") == 1)
            #expect(try await server.count("accounts WHERE phone IS NOT NULL") == 1)
        }
    }

    // MARK: Password

    @Test func aNewPasswordRevokesWhatTheOldOneOpened() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let alice = try await server.account(isActive: true)
            let key = try await server.apiKey(of: alice)
            let token = try await server.post("/api/accounts/auth_token").json["token"] as? String ?? ""
            _ = try await server.post("/api/accounts/auth_token/\(token)/attach", [("x-api-key", key)])
            _ = try await server.post(self.target(alice) + "/provision", [admin])
            let reply = try await server.send(
                "PATCH", self.target(alice), [admin], json: #"{"password":"wonderland","algorithm":"MD5"}"#)
            #expect(reply.status == 200)
            #expect(reply.text.contains(#""passwords":[{"algorithm":"MD5"}]"#))
            #expect(try await self.reads(server, alice, password: "wonderland") == 200)
            #expect(try await self.reads(server, alice, password: "secret!") == 401)
            #expect(try await server.get("/api/accounts/me", [alice.from, ("x-api-key", key)]).status == 401)
            #expect(try await server.get("/api/accounts/me/api_key/\(token)").status == 404)
            #expect(try await server.count("provisioning_tokens") == 0)
        }
    }

    @Test func aPasswordNeverActivatesAndOnesOwnKeyGoesOn() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let alice = try await server.account(isActive: false)
            let password = #"{"password":"wonderland","algorithm":"SHA-256"}"#
            let reply = try await server.send("PATCH", self.target(alice), [admin], json: password)
            #expect(reply.json["activated"] as? Bool == false)
            let own = try #require(try await server.get("/api/accounts/me", [admin]).json["id"] as? Int)
            #expect(try await server.send("PATCH", "/api/accounts/\(own)", [admin], json: password).status == 200)
            #expect(try await server.get("/api/accounts/me", [admin]).status == 200)
        }
    }

    // MARK: Activation

    @Test func deactivatingRevokesAndOnlyAnAdministratorActivatesAgain() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let created = try await server.create("carroll", admin)
            let id = try #require(created.json["id"] as? Int)
            let key = try #require(created.json["confirmation_key"] as? String)
            let target = "/api/accounts/\(id)"
            let unchanged = try await server.send("PATCH", target, [admin], json: #"{"activated":false}"#)
            #expect(unchanged.status == 200)
            #expect(try await server.count("activation_codes") == 1, "it was not active, so nothing ends")
            #expect(
                try await server.send("PATCH", target, [admin], json: #"{"activated":true}"#).json["activated"] as? Bool
                    == true)
            _ = try await server.send("PATCH", target, [admin], json: #"{"activated":0}"#)
            #expect(try await server.count("activation_codes") == 0)
            #expect(try await server.count("provisioning_tokens") == 0)
            let reply = try await server.post(
                "/api/accounts/carroll@sip.example.org/activate/email", json: #"{"code":"\#(key)"}"#)
            #expect(reply.status == 404)
        }
    }

    @Test func changesOfOneAccountThatMeetDoNotWaitForEachOther() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            for number in 0..<8 {
                let created = try await server.create("racer\(number)", admin)
                let id = try #require(created.json["id"] as? Int)
                let key = try #require(created.json["confirmation_key"] as? String)
                let token = try #require(created.json["provisioning_token"] as? String)
                let statuses = try await race(8) { index in
                    switch index % 4 {
                    case 0: try await server.get("/provisioning/\(token)").status
                    case 1: try await server.post("/api/accounts/\(id)/deactivate", [admin]).status
                    case 2:
                        try await server.post(
                            "/api/accounts/racer\(number)@sip.example.org/activate/email", json: #"{"code":"\#(key)"}"#
                        ).status
                    default:
                        try await server.send(
                            "PATCH", "/api/accounts/\(id)", [admin], json: #"{"activated":true,"display_name":"R."}"#
                        ).status
                    }
                }
                #expect(statuses.allSatisfy { $0 == 200 || $0 == 404 }, "\(statuses)")
            }
        }
    }

    // MARK: Administrators

    @Test func onlySuperAdministratorsAppoint() async throws {
        try await withServer { server in
            let root = try await server.administrator()
            let lesser = try await server.account("lesser", admin: .domain)
            let key = try await server.apiKey(of: lesser).asHeader
            let alice = try await server.account()
            let refused = try await server.send("PATCH", self.target(alice), [key], json: #"{"admin":true}"#)
            #expect(refused.status == 403)
            #expect(try await server.send("PATCH", self.target(alice), [key], json: #"{"admin":false}"#).status == 200)
            let appointed = try await server.send("PATCH", self.target(alice), [root], json: #"{"admin":"true"}"#)
            #expect((appointed.json["admin"] as? [String: Any])?["scope"] as? String == "domain")
            let dismissed = try await server.send("PATCH", self.target(lesser), [root], json: #"{"admin":false}"#)
            #expect(dismissed.json["admin"] is NSNull)
            #expect(try await server.get("/api/accounts", [key]).status == 403)
        }
    }

    @Test func aSuperAdministratorIsChangedByAnotherAloneAndTheLastOneStays() async throws {
        try await withServer { server in
            let root = try await server.administrator()
            let own = try #require(try await server.get("/api/accounts/me", [root]).json["id"] as? Int)
            let lesser = try await server.apiKey(of: server.account("lesser", admin: .domain)).asHeader
            let target = "/api/accounts/\(own)"
            #expect(try await server.send("PATCH", target, [lesser], json: #"{"display_name":"x"}"#).status == 403)
            for body in [#"{"admin":false}"#, #"{"activated":false}"#] {
                let reply = try await server.send("PATCH", target, [root], json: body)
                #expect(reply.status == 403)
                #expect(reply.json["message"] as? String == "The last super administrator must stay.")
            }
            let promoted = try await server.send("PATCH", target, [root], json: #"{"admin":true}"#)
            #expect((promoted.json["admin"] as? [String: Any])?["scope"] as? String == "super", "it stays one")
        }
    }

    @Test(arguments: ["PATCH", "PUT"])
    func anAccountOfAnotherDomainIsNotThere(method: String) async throws {
        try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": "true"]) { server in
            let foreign = try await server.account("bob", domain: "other.example.org")
            let admin = try await server.administrator(.domain)
            let body = #"{"activated":false}"#
            let reply = try await server.send(method, self.target(foreign), [admin], json: body)
            let missing = try await server.send(method, "/api/accounts/999999999", [admin], json: body)
            #expect(reply.status == 404)
            #expect(reply.text == missing.text)
            #expect(try await server.count("accounts WHERE NOT activated") == 0)
        }
    }
}

extension String {
    fileprivate var asHeader: (String, String) { ("x-api-key", self) }
}
