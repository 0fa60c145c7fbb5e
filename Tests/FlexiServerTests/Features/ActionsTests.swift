import PGClient
import Testing

@testable import FlexiServer

@Suite("Actions")
struct ActionsTests {
    @Test(arguments: ["", "/"])
    func anActionIsMadeShownReplacedAndRemoved(slash: String) async throws {
        try await withServer { server in
            let admin = try await server.administrator(.domain)
            let alice = try await server.account("alice")
            try await server.setDTMF("rfc2833", of: alice)
            let list = "/api/accounts/\(alice.id.rawValue)/actions"
            #expect(try await server.get(list + slash, [admin]).text == "[]")

            let made = try await server.post(list + slash, [admin], json: #"{"key":"open-door_1","code":"12a"}"#)
            #expect(made.status == 201)
            #expect(made.header("Content-Type") == "application/json")
            let id = try #require(made.json["id"] as? Int)
            #expect(made.text == #"{"id":\#(id),"key":"open-door_1","code":"12a"}"#)
            let shown = try await server.get("\(list)/\(id)\(slash)", [admin])
            #expect(shown.status == 200)
            #expect(shown.text == made.text)

            let replaced = try await server.send(
                "PUT", "\(list)/\(id)\(slash)", [admin], json: #"{"key":"light","code":"9"}"#)
            #expect(replaced.status == 200)
            #expect(replaced.text == #"{"id":\#(id),"key":"light","code":"9"}"#)
            #expect(try await server.get(list + slash, [admin]).text == "[\(replaced.text)]")
            let key = ("x-api-key", try await server.apiKey(of: alice))
            #expect(try await server.get("/api/accounts/me", [key]).text.hasSuffix(#""actions":[\#(replaced.text)]}"#))

            let removed = try await server.send("DELETE", "\(list)/\(id)\(slash)", [admin])
            #expect(removed.status == 200)
            #expect(removed.text == "{}")
            #expect(try await server.send("DELETE", "\(list)/\(id)", [admin]).status == 404)
            #expect(try await server.count("account_actions") == 0)
        }
    }

    @Test(arguments: [
        // The body, and the fields that it breaks.
        ("{}", ["key", "code"]), (#"{"key":"open"}"#, ["code"]), (#"{"code":"1"}"#, ["key"]),
        (#"{"key":"Open","code":"A"}"#, ["key", "code"]), (#"{"key":"a b","code":"1 2"}"#, ["key", "code"]),
        (#"{"key":"open","code":"1-2"}"#, ["code"]), (#"{"key":"open","code":12}"#, ["code"]),
        (#"{"key":"open","code":"*1"}"#, ["code"]), (#"{"key":"open","code":null}"#, ["code"]),
        (#"{"key":"open","code":"\#(String(repeating: "1", count: 65))"}"#, ["code"]),
        (#"{"key":"open;1\nX:y","code":"1\r\n"}"#, ["key"]),
    ])
    func everyBrokenFieldIsNamedOnBothWaysToWrite(body: String, fields: [String]) async throws {
        try await withServer { server in
            let admin = try await server.administrator(.domain)
            let alice = try await server.account("alice")
            try await server.setDTMF("sipinfo", of: alice)
            let id = try await server.action("open", "1", of: alice)
            let list = "/api/accounts/\(alice.id.rawValue)/actions"
            for (method, path) in [("POST", list), ("PUT", "\(list)/\(id)")] {
                let reply = try await server.send(method, path, [admin], json: body)
                #expect(reply.status == 422)
                #expect((reply.json["errors"] as? [String: [String]])?.keys.sorted() == fields.sorted())
            }
            #expect(try await server.get(list, [admin]).text == #"[{"id":\#(id),"key":"open","code":"1"}]"#)
        }
    }

    @Test func anAccountWithoutADTMFProtocolIsRefusedEveryWay() async throws {
        try await withServer { server in
            let admin = try await server.administrator(.domain)
            let alice = try await server.account("alice")
            let id = try await server.action("open", "1", of: alice)
            let list = "/api/accounts/\(alice.id.rawValue)/actions"
            for (method, path) in [
                ("GET", list), ("POST", list), ("GET", "\(list)/\(id)"), ("PUT", "\(list)/\(id)"),
                ("DELETE", "\(list)/\(id)"), ("GET", "\(list)/999"),
            ] {
                let reply = try await server.send(method, path, [admin], json: #"{"key":"light","code":"2"}"#)
                #expect(reply.status == 403)
                #expect(reply.text == #"{"message":"The account has no DTMF protocol."}"#)
            }
            try await server.setDTMF("sipmessage", of: alice)
            #expect(try await server.get(list, [admin]).text == #"[{"id":\#(id),"key":"open","code":"1"}]"#)
        }
    }

    @Test func anotherAccountsActionAndAMissingOneAreNotFound() async throws {
        try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": "true"]) { server in
            let admin = try await server.administrator(.domain)
            let (alice, bob) = (try await server.account("alice"), try await server.account("bob"))
            let carol = try await server.account("carol", domain: "other.example.org")
            for account in [alice, bob, carol] { try await server.setDTMF("sipinfo", of: account) }
            let (bobs, carols) = (
                try await server.action("open", "1", of: bob), try await server.action("open", "1", of: carol)
            )
            for path in [
                "\(alice.id.rawValue)/actions/\(bobs)", "\(alice.id.rawValue)/actions/999",
                "\(alice.id.rawValue)/actions/x",
                "\(carol.id.rawValue)/actions/\(carols)", "999/actions/\(bobs)",
            ] {
                for method in ["GET", "PUT", "DELETE"] {
                    let reply = try await server.send(
                        method, "/api/accounts/\(path)", [admin], json: #"{"key":"light","code":"2"}"#)
                    #expect(reply.status == 404, "\(method) \(path)")
                    #expect(reply.text == #"{"message":"Not found."}"#)
                }
            }
            for account in ["\(carol.id.rawValue)", "999"] {
                let list = "/api/accounts/\(account)/actions"
                #expect(try await server.get(list, [admin]).status == 404)
                #expect(try await server.post(list, [admin], json: #"{"key":"light","code":"2"}"#).status == 404)
            }
            let keys = try await server.services.database.query("SELECT key FROM flexi.account_actions").map { row in
                try row.decode(String.self)
            }
            #expect(keys == ["open", "open"])
        }
    }

    @Test func aSuperAdministratorsActionsAreChangedByAnotherOneOnly() async throws {
        try await withServer { server in
            let root = try await server.account("root", admin: .super)
            try await server.setDTMF("sipinfo", of: root)
            let id = try await server.action("open", "1", of: root)
            let list = "/api/accounts/\(root.id.rawValue)/actions"
            let admin = try await server.administrator(.domain)
            for (method, path) in [("POST", list), ("PUT", "\(list)/\(id)"), ("DELETE", "\(list)/\(id)")] {
                let reply = try await server.send(method, path, [admin], json: #"{"key":"light","code":"2"}"#)
                #expect(reply.status == 403)
            }
            #expect(try await server.get(list, [admin]).text == #"[{"id":\#(id),"key":"open","code":"1"}]"#)
        }
    }

    @Test func usersCannotReachActions() async throws {
        try await withServer { server in
            let alice = try await server.account("alice")
            try await server.setDTMF("sipinfo", of: alice)
            let key = ("x-api-key", try await server.apiKey(of: alice))
            let list = "/api/accounts/\(alice.id.rawValue)/actions"
            for (method, path) in [
                ("GET", list), ("POST", list), ("GET", "\(list)/1"), ("PUT", "\(list)/1"), ("DELETE", "\(list)/1"),
            ] {
                #expect(try await server.send(method, path, [key], json: "{}").status == 403)
            }
        }
    }
}

extension TestServer {
    func setDTMF(_ dtmfProtocol: String, of account: TestAccount) async throws {
        try await self.services.database.execute(
            "UPDATE flexi.accounts SET dtmf_protocol = \(dtmfProtocol) WHERE id = \(account.id)")
    }
}
