import PGClient
import Testing

@testable import FlexiServer

@Suite("Account types")
struct AccountTypesTests {
    private static let seeded = [
        "device_audio_intercom", "device_video_intercom", "device_security_camera", "device_internal_unit",
    ]

    @Test func aDomainBeginsWithTheTypesThatClientsKnow() async throws {
        try await withServer { server in
            let admin = try await server.administrator(.domain)
            let reply = try await server.get("/api/account_types", [admin])
            #expect(reply.status == 200)
            #expect(reply.list.map { $0["key"] as? String } == Self.seeded)
            let first = try #require(reply.list.first?["id"] as? Int)
            let one = try await server.get("/api/account_types/\(first)", [admin])
            #expect(one.status == 200)
            #expect(one.text == #"{"id":\#(first),"key":"device_audio_intercom","domain":"sip.example.org"}"#)
            #expect(reply.text.hasPrefix("[\(one.text),{"))
        }
    }

    @Test func aTypeIsMadeRenamedAndRemoved() async throws {
        try await withServer { server in
            let admin = try await server.administrator(.domain)
            let made = try await server.post("/api/account_types", [admin], json: #"{"key":" door-unit_2 "}"#)
            #expect(made.status == 201)
            #expect(made.header("Content-Type") == "application/json")
            let id = try #require(made.json["id"] as? Int)
            #expect(made.text == #"{"id":\#(id),"key":"door-unit_2","domain":"sip.example.org"}"#)

            let alice = try await server.account("alice")
            try await server.attachType(Int64(id), to: alice)
            let renamed = try await server.send(
                "PUT", "/api/account_types/\(id)", [admin], json: #"{"key":"gate"}"#)
            #expect(renamed.status == 200)
            #expect(renamed.text == #"{"id":\#(id),"key":"gate","domain":"sip.example.org"}"#)
            let key = ("x-api-key", try await server.apiKey(of: alice))
            #expect(
                try await server.get("/api/accounts/me", [key]).text.contains(#""types":[{"id":\#(id),"key":"gate"}]"#))

            let removed = try await server.send("DELETE", "/api/account_types/\(id)", [admin])
            #expect(removed.status == 200)
            #expect(removed.text == "{}")
            #expect(try await server.count("account_type_assignments") == 0)
            for method in ["GET", "DELETE"] {
                #expect(try await server.send(method, "/api/account_types/\(id)", [admin]).status == 404)
            }
            #expect(
                try await server.send("PUT", "/api/account_types/\(id)", [admin], json: #"{"key":"gate"}"#).status
                    == 404)
        }
    }

    @Test(arguments: [
        "{}", #"{"key":null}"#, #"{"key":""}"#, #"{"key":"  "}"#, #"{"key":7}"#, #"{"key":["a"]}"#, #"{"key":"Phone"}"#,
        #"{"key":"two words"}"#, #"{"key":"é"}"#, #"{"key":"a;b"}"#, #"{"key":"a\nb"}"#, #"{"key":"a\u0000"}"#,
        #"{"key":"\#(String(repeating: "a", count: 65))"}"#,
    ])
    func aKeyThatIsNoneIsRefusedOnItsField(body: String) async throws {
        try await withServer { server in
            let admin = try await server.administrator(.domain)
            let first = try #require(try await server.get("/api/account_types", [admin]).list.first?["id"] as? Int)
            for (method, path) in [("POST", "/api/account_types"), ("PUT", "/api/account_types/\(first)")] {
                let reply = try await server.send(method, path, [admin], json: body)
                #expect(reply.status == 422)
                #expect(reply.errors("key")?.count == 1)
            }
            #expect(
                try await server.get("/api/account_types", [admin]).list.map { $0["key"] as? String } == Self.seeded)
        }
    }

    @Test func aKeyIsTakenOnceInADomain() async throws {
        try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": "true"]) { server in
            let admin = try await server.administrator(.domain)
            let statuses = try await race(8) { _ in
                try await server.post("/api/account_types", [admin], json: #"{"key":"door"}"#).status
            }
            #expect(statuses.sorted() == [201] + Array(repeating: 422, count: 7))
            let again = try await server.post("/api/account_types", [admin], json: #"{"key":"door"}"#)
            #expect(again.errors("key") == ["The domain has a type of this key."])
            let first = try #require(try await server.get("/api/account_types", [admin]).list.first?["id"] as? Int)
            let renamed = try await server.send("PUT", "/api/account_types/\(first)", [admin], json: #"{"key":"door"}"#)
            #expect(renamed.status == 422)
            #expect(renamed.errors("key") == ["The domain has a type of this key."])
            // To the name that it has.
            let same = try await server.send(
                "PUT", "/api/account_types/\(first)", [admin], json: #"{"key":"device_audio_intercom"}"#)
            #expect(same.status == 200)

            let other = try await server.administrator(.domain, domain: "other.example.org")
            #expect(try await server.post("/api/account_types", [other], json: #"{"key":"door"}"#).status == 201)
        }
    }

    // MARK: Types of an account

    @Test func aTypeIsAttachedOnceAndDetachedOnce() async throws {
        try await withServer { server in
            let admin = try await server.administrator(.domain)
            let alice = try await server.account("alice")
            let type = try await server.accountType("phone")
            let path = "/api/accounts/\(alice.id.rawValue)/types/\(type)"

            let attached = try await server.send("POST", path, [admin])
            #expect(attached.status == 200)
            #expect(attached.text == "{}")
            let again = try await server.send("POST", path, [admin])
            #expect(again.status == 403)
            #expect(again.text == #"{"message":"The account has the type already."}"#)
            #expect(try await server.count("account_type_assignments") == 1)

            let detached = try await server.send("DELETE", path, [admin])
            #expect(detached.status == 200)
            #expect(detached.text == "{}")
            let detachedAgain = try await server.send("DELETE", path, [admin])
            #expect(detachedAgain.status == 403)
            #expect(detachedAgain.text == #"{"message":"The account does not have the type."}"#)
        }
    }

    @Test func racingAttachmentsGiveATypeOnce() async throws {
        try await withServer { server in
            let admin = try await server.administrator(.domain)
            let alice = try await server.account("alice").id.rawValue
            let type = try await server.accountType("phone")
            let statuses = try await race(16) { _ in
                try await server.post("/api/accounts/\(alice)/types/\(type)", [admin]).status
            }
            #expect(statuses.sorted() == [200] + Array(repeating: 403, count: 15))
            #expect(try await server.count("account_type_assignments") == 1)
        }
    }

    @Test func unknownIdsAreNotFound() async throws {
        try await withServer { server in
            let admin = try await server.administrator(.domain)
            let alice = try await server.account("alice").id.rawValue
            let type = try await server.accountType("phone")
            for path in ["\(alice)/types/999", "999/types/\(type)", "\(alice)/types/x", "x/types/\(type)"] {
                for method in ["POST", "DELETE"] {
                    let reply = try await server.send(method, "/api/accounts/\(path)", [admin])
                    #expect(reply.status == 404)
                    #expect(reply.text == #"{"message":"Not found."}"#)
                }
            }
            #expect(try await server.get("/api/account_types/x", [admin]).status == 404)
        }
    }

    /// The reference documents `DELETE /accounts/{id}/contacts/{type_id}` for types; contacts win there.
    @Test func aTypesIdOnTheContactsPathIsAContactsId() async throws {
        try await withServer { server in
            let admin = try await server.administrator(.domain)
            let alice = try await server.account("alice")
            let type = try await server.accountType("phone")
            try await server.attachType(type, to: alice)
            let reply = try await server.send("DELETE", "/api/accounts/\(alice.id.rawValue)/contacts/\(type)", [admin])
            #expect(reply.status == 404)
            #expect(try await server.count("account_type_assignments") == 1)
        }
    }

    // MARK: Domains

    @Test func aSuperAdministratorNamesTheDomain() async throws {
        try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": "true"]) { server in
            let root = try await server.administrator(.super)
            _ = try await server.account("bob", domain: "other.example.org")
            let there = try await server.post(
                "/api/account_types", [root], json: #"{"key":"door","domain":"Other.example.org"}"#)
            #expect(there.status == 201)
            #expect(there.json["domain"] as? String == "other.example.org")
            let here = try await server.post("/api/account_types", [root], json: #"{"key":"door"}"#)
            #expect(here.json["domain"] as? String == "sip.example.org")

            #expect(try await server.get("/api/account_types", [root]).list.count == 10)
            let listed = try await server.get("/api/account_types?domain=other.example.org", [root]).list
            #expect(listed.map { $0["key"] as? String } == Self.seeded + ["door"])
            #expect(try await server.get("/api/account_types?domain=a%20b", [root]).errors("domain")?.count == 1)
            for (domain, status) in [("unknown.example.org", 422), ("a b", 422)] {
                let reply = try await server.post(
                    "/api/account_types", [root], json: #"{"key":"door","domain":"\#(domain)"}"#)
                #expect(reply.status == status)
                #expect(reply.errors("domain")?.count == 1)
            }
        }
    }

    @Test func oneDomainAloneIgnoresTheField() async throws {
        try await withServer { server in
            let root = try await server.administrator(.super)
            _ = try await server.account("bob", domain: "other.example.org")
            let made = try await server.post(
                "/api/account_types", [root], json: #"{"key":"door","domain":"other.example.org"}"#)
            #expect(made.status == 201)
            #expect(made.json["domain"] as? String == "sip.example.org")
            #expect(try await server.get("/api/account_types?domain=other.example.org", [root]).list.count == 5)
        }
    }

    @Test func anotherDomainsTypesCannotBeToldFromMissingOnes() async throws {
        try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": "true"]) { server in
            let admin = try await server.administrator(.domain)
            let alice = try await server.account("alice")
            let bob = try await server.account("bob", domain: "other.example.org")
            let own = try await server.accountType("phone")
            let foreign = try await server.accountType("phone", in: "other.example.org")
            try await server.attachType(foreign, to: bob)
            for (method, path) in [
                ("GET", "account_types/\(foreign)"), ("PUT", "account_types/\(foreign)"),
                ("DELETE", "account_types/\(foreign)"),
                ("POST", "accounts/\(alice.id.rawValue)/types/\(foreign)"),
                ("DELETE", "accounts/\(alice.id.rawValue)/types/\(foreign)"),
                ("POST", "accounts/\(bob.id.rawValue)/types/\(own)"),
                ("DELETE", "accounts/\(bob.id.rawValue)/types/\(foreign)"),
            ] {
                let reply = try await server.send(method, "/api/\(path)", [admin], json: #"{"key":"gate"}"#)
                #expect(reply.status == 404, "\(method) \(path)")
                #expect(reply.text == #"{"message":"Not found."}"#)
            }
            #expect(try await server.get("/api/account_types", [admin]).list.count == 5)
            #expect(
                try await server.post(
                    "/api/account_types", [admin], json: #"{"key":"gate","domain":"other.example.org"}"#
                ).status == 403)
            #expect(try await server.count("account_type_assignments") == 1)
            // A type does not leave its domain, not even by a super administrator's hand.
            let root = try await server.administrator(.super, domain: "third.example.org")
            #expect(try await server.post("/api/accounts/\(alice.id.rawValue)/types/\(foreign)", [root]).status == 404)
        }
    }

    @Test func aSuperAdministratorsTypesAreChangedByAnotherOneOnly() async throws {
        try await withServer { server in
            let root = try await server.account("root", admin: .super)
            let type = try await server.accountType("phone")
            let admin = try await server.administrator(.domain)
            for method in ["POST", "DELETE"] {
                let reply = try await server.send(method, "/api/accounts/\(root.id.rawValue)/types/\(type)", [admin])
                #expect(reply.status == 403)
            }
            #expect(try await server.count("account_type_assignments") == 0)
        }
    }

    @Test func usersHaveNothingToDoWithTypes() async throws {
        try await withServer { server in
            let key = ("x-api-key", try await server.apiKey(of: server.account()))
            for (method, path) in [
                ("GET", "account_types"), ("POST", "account_types"), ("GET", "account_types/1"),
                ("PUT", "account_types/1"), ("DELETE", "account_types/1"), ("POST", "accounts/1/types/1"),
                ("DELETE", "accounts/1/types/1"),
            ] {
                #expect(try await server.send(method, "/api/\(path)", [key], json: "{}").status == 403)
            }
        }
    }
}
