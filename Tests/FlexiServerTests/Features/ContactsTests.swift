import Foundation
import PGClient
import Testing

@testable import FlexiServer

@Suite("Contacts")
struct ContactsTests {
    // MARK: The caller's own

    @Test func aUserSeesOfAContactWhatContactsAreFor() async throws {
        try await withServer { server in
            let (alice, bob) = (try await server.account("alice"), try await server.account("bob", isActive: false))
            try await server.services.database.execute(
                """
                UPDATE flexi.accounts SET display_name = 'Bob "B." Builder', dtmf_protocol = 'sipinfo', phone = '+33612345678',
                    email = 'bob@example.org'
                WHERE id = \(bob.id)
                """)
            let type = try await server.accountType("phone")
            try await server.attachType(type, to: bob)
            let action = try await server.action("open", "12", of: bob)
            try await server.attachContact(bob, to: alice)

            let key = ("x-api-key", try await server.apiKey(of: alice))
            let expected = """
                {"id":\(bob.id.rawValue),"username":"bob","domain":"sip.example.org","activated":false,\
                "display_name":"Bob \\"B.\\" Builder","dtmf_protocol":"sipinfo","types":[{"id":\(type),"key":"phone"}],\
                "actions":[{"id":\(action),"key":"open","code":"12"}]}
                """
            let list = try await server.get("/api/accounts/me/contacts", [key])
            #expect(list.status == 200)
            #expect(list.header("Content-Type") == "application/json")
            #expect(list.text == "[\(expected)]")
            for address in ["bob@sip.example.org", "sip:bob@sip.example.org", "sip%3Abob%40SIP.example.org"] {
                let one = try await server.get("/api/accounts/me/contacts/\(address)", [key])
                #expect(one.status == 200)
                #expect(one.text == expected)
            }
        }
    }

    @Test func actionsAreNotShownWithoutADTMFProtocol() async throws {
        try await withServer { server in
            let (alice, bob) = (try await server.account("alice"), try await server.account("bob"))
            _ = try await server.action("open", "12", of: bob)
            try await server.attachContact(bob, to: alice)
            let key = ("x-api-key", try await server.apiKey(of: alice))
            #expect(try await server.get("/api/accounts/me/contacts", [key]).text.contains(#""actions":[]"#))
            let card = try await server.get("/contacts/vcard", [key]).text
            #expect(card.contains("IMPP:sip:bob@") && !card.contains("ACTION"))
        }
    }

    @Test func contactsComeInTheOrderOfTheirAccountsWhateverTheOrderOfAttaching() async throws {
        try await withServer { server in
            let alice = try await server.account("alice")
            var contacts: [TestAccount] = []
            for name in ["zoe", "bob", "mia"] { contacts.append(try await server.account(name)) }
            for contact in contacts.reversed() { try await server.attachContact(contact, to: alice) }
            let key = ("x-api-key", try await server.apiKey(of: alice))
            let names = try await server.get("/api/accounts/me/contacts", [key]).list.map { $0["username"] as? String }
            #expect(names == ["zoe", "bob", "mia"])
        }
    }

    @Test func aStrangerAnAttachedStrangerAndGarbageAreAllNotFound() async throws {
        try await withServer { server in
            let (alice, bob) = (try await server.account("alice"), try await server.account("bob"))
            _ = try await server.account("carol")
            // On somebody else's list only.
            try await server.attachContact(alice, to: bob)
            let key = ("x-api-key", try await server.apiKey(of: alice))
            for target in ["bob@sip.example.org", "carol@sip.example.org", "nobody@sip.example.org", "bob", "%FF@x"] {
                for path in ["/api/accounts/me/contacts/", "/contacts/vcard/"] {
                    let reply = try await server.get(path + target, [key])
                    #expect(reply.status == 404)
                    #expect(reply.text == #"{"message":"Not found."}"#)
                }
            }
            #expect(try await server.get("/api/accounts/me/contacts", [key]).text == "[]")
        }
    }

    @Test(arguments: ["/api/accounts/me/contacts", "/contacts/vcard", "/contacts/vcard/bob@sip.example.org"])
    func nobodySeesAListWithoutProof(path: String) async throws {
        try await withServer { server in
            let alice = try await server.account("alice")
            #expect(try await server.get(path).status == 422)
            let reply = try await server.get(path, [alice.from])
            #expect(reply.status == 401)
            #expect(reply.headers("WWW-Authenticate").count == 1)
        }
    }

    // MARK: vCards

    @Test func theCardsAreOneTextWithATag() async throws {
        try await withServer { server in
            let (alice, bob, carol) = (
                try await server.account("alice"), try await server.account("bob"), try await server.account("carol")
            )
            let name = "Bö,b; \\ \"x\" " + String(repeating: "👩‍👩‍👧‍👦", count: 9)
            try await server.services.database.execute(
                "UPDATE flexi.accounts SET display_name = \(name) WHERE id = \(bob.id)")
            for contact in [bob, carol] { try await server.attachContact(contact, to: alice) }
            let key = ("x-api-key", try await server.apiKey(of: alice))

            let reply = try await server.get("/contacts/vcard", [key])
            #expect(reply.status == 200)
            #expect(reply.header("Content-Type") == "text/vcard; charset=utf-8")
            #expect(reply.header("Cache-Control") == "private, no-cache")
            #expect(reply.header("Content-Length") == "\(reply.body.count)")
            let cards = try PlainCard.read(reply.text)
            #expect(cards.map(\.name) == [name, "carol@sip.example.org"])
            #expect(cards.map(\.address) == ["sip:bob@sip.example.org", "sip:carol@sip.example.org"])

            let one = try await server.get("/contacts/vcard/carol@sip.example.org", [key])
            #expect(one.status == 200)
            #expect(
                one.text
                    == "BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:individual\r\nIMPP:sip:carol@sip.example.org\r\n"
                    + "FN:carol@sip.example.org\r\nEND:VCARD\r\n")

            // The same list has the same tag, another list another.
            let tag = try #require(reply.header("ETag"))
            #expect(tag.wholeMatch(of: #/"[0-9a-f]{32}"/#) != nil)
            #expect(one.header("ETag") != tag)
            for known in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
                let unchanged = try await server.get("/contacts/vcard", [key, ("If-None-Match", known)])
                #expect(unchanged.status == 304)
                #expect(unchanged.header("ETag") == tag)
                #expect(unchanged.body.isEmpty)
            }
            try await server.services.database.execute(
                "UPDATE flexi.accounts SET display_name = 'Bob' WHERE id = \(bob.id)")
            let changed = try await server.get("/contacts/vcard", [key, ("If-None-Match", tag)])
            #expect(changed.status == 200)
            #expect(changed.text.contains("\r\nFN:Bob\r\n"))
            #expect(changed.header("ETag") != tag)
        }
    }

    @Test func aListWithoutContactsIsAnEmptyText() async throws {
        try await withServer { server in
            let key = ("x-api-key", try await server.apiKey(of: server.account()))
            let reply = try await server.get("/contacts/vcard", [key])
            #expect(reply.status == 200)
            #expect(reply.header("Content-Type") == "text/vcard; charset=utf-8")
            #expect(reply.text == "")
        }
    }

    // MARK: Administration

    @Test(arguments: ["/", ""])
    func aContactIsAttachedOnceAndDetachedOnce(slash: String) async throws {
        try await withServer { server in
            let admin = try await server.administrator(.domain)
            let (alice, bob) = (try await server.account("alice"), try await server.account("bob"))
            let list = "/api/accounts/\(alice.id.rawValue)/contacts"
            let entry = "\(list)/\(bob.id.rawValue)\(slash)"

            #expect(try await server.get(entry, [admin]).status == 404)
            let attached = try await server.send("POST", entry, [admin])
            #expect(attached.status == 200)
            #expect(attached.header("Content-Type") == "application/json")
            #expect(attached.text == "{}")
            let again = try await server.send("POST", entry, [admin])
            #expect(again.status == 403)
            #expect(again.text == #"{"message":"The contact is on the list already."}"#)
            #expect(try await server.count("contacts") == 1)

            let shown = try await server.get(entry, [admin])
            #expect(shown.status == 200)
            #expect(shown.json["username"] as? String == "bob")
            #expect(shown.text == (try await server.get("/api/accounts/bob@sip.example.org/search", [admin]).text))
            let all = try await server.get(list + slash, [admin])
            #expect(all.status == 200)
            #expect(all.text == "[\(shown.text)]")
            // The list has a direction.
            #expect(try await server.get("/api/accounts/\(bob.id.rawValue)/contacts", [admin]).text == "[]")

            let detached = try await server.send("DELETE", entry, [admin])
            #expect(detached.status == 200)
            #expect(detached.text == "{}")
            let detachedAgain = try await server.send("DELETE", entry, [admin])
            #expect(detachedAgain.status == 403)
            #expect(detachedAgain.text == #"{"message":"The contact is not on the list."}"#)
            #expect(try await server.count("contacts") == 0)
        }
    }

    @Test func anAccountMayBeItsOwnContact() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let id = try await server.account("alice").id.rawValue
            #expect(try await server.post("/api/accounts/\(id)/contacts/\(id)", [admin]).status == 200)
            #expect(try await server.get("/api/accounts/\(id)/contacts", [admin]).list.count == 1)
        }
    }

    @Test func unknownIdsAreNotFoundOnEitherSide() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let alice = try await server.account("alice").id.rawValue
            for (account, contact) in [
                ("\(alice)", "999"), ("999", "\(alice)"), ("x", "\(alice)"), ("\(alice)", "x"),
                ("\(alice)", "99999999999999999999"), ("\(alice)", "-1"),
            ] {
                for method in ["GET", "POST", "DELETE"] {
                    let reply = try await server.send(method, "/api/accounts/\(account)/contacts/\(contact)", [admin])
                    #expect(reply.status == 404, "\(method) \(account) \(contact)")
                    #expect(reply.text == #"{"message":"Not found."}"#)
                }
            }
            #expect(try await server.get("/api/accounts/999/contacts", [admin]).status == 404)
        }
    }

    @Test func racingAttachmentsMakeOneEntry() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let (alice, bob) = (try await server.account("alice"), try await server.account("bob"))
            let statuses = try await race(16) { _ in
                try await server.post("/api/accounts/\(alice.id.rawValue)/contacts/\(bob.id.rawValue)", [admin]).status
            }
            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 403 }.count == 15)
            #expect(try await server.count("contacts") == 1)
        }
    }

    @Test func aDeletedAccountLeavesEveryList() async throws {
        try await withServer { server in
            let (alice, bob) = (try await server.account("alice"), try await server.account("bob"))
            try await server.attachContact(bob, to: alice)
            try await server.attachContact(alice, to: bob)
            try await server.services.database.execute("DELETE FROM flexi.accounts WHERE id = \(bob.id)")
            #expect(try await server.count("contacts") == 0)
        }
    }

    // MARK: Domains

    @Test func anotherDomainsAccountsCannotBeToldFromMissingOnes() async throws {
        try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": "true"]) { server in
            let admin = try await server.administrator(.domain)
            let own = try await server.account("alice").id.rawValue
            let foreign = try await server.account("bob", domain: "other.example.org")
            let stranger = try await server.account("carol", domain: "other.example.org")
            try await server.attachContact(stranger, to: foreign)
            let foreignID = foreign.id.rawValue
            for method in ["GET", "POST", "DELETE"] {
                for path in [
                    "\(own)/contacts/\(foreignID)", "\(foreignID)/contacts/\(own)",
                    "\(foreignID)/contacts/\(stranger.id.rawValue)",
                ] {
                    let reply = try await server.send(method, "/api/accounts/\(path)", [admin])
                    #expect(reply.status == 404)
                    #expect(reply.text == #"{"message":"Not found."}"#)
                }
            }
            #expect(try await server.get("/api/accounts/\(foreignID)/contacts", [admin]).status == 404)
            #expect(try await server.count("contacts") == 1)
        }
    }

    @Test func aSuperAdministratorJoinsDomainsAndADomainAdministratorSeesTheirOwnPart() async throws {
        try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": "true"]) { server in
            let alice = try await server.account("alice")
            let foreign = try await server.account("bob", domain: "other.example.org")
            let entry = "/api/accounts/\(alice.id.rawValue)/contacts/\(foreign.id.rawValue)"
            let root = try await server.administrator(.super, domain: "third.example.org")
            #expect(try await server.post(entry, [root]).status == 200)
            #expect(try await server.get("/api/accounts/\(alice.id.rawValue)/contacts", [root]).list.count == 1)

            let admin = try await server.administrator(.domain)
            #expect(try await server.get("/api/accounts/\(alice.id.rawValue)/contacts", [admin]).text == "[]")
            #expect(try await server.get(entry, [admin]).status == 404)
            #expect(try await server.send("DELETE", entry, [admin]).status == 404)
            // The owner of the list has it whole.
            let key = ("x-api-key", try await server.apiKey(of: alice))
            #expect(try await server.get("/api/accounts/me/contacts/bob@other.example.org", [key]).status == 200)
        }
    }

    @Test func aSuperAdministratorsListIsChangedByAnotherOneOnly() async throws {
        try await withServer { server in
            let root = try await server.account("root", admin: .super)
            let bob = try await server.account("bob")
            let entry = "/api/accounts/\(root.id.rawValue)/contacts/\(bob.id.rawValue)"
            let admin = try await server.administrator(.domain)
            for method in ["POST", "DELETE"] {
                #expect(try await server.send(method, entry, [admin]).status == 403)
            }
            #expect(try await server.count("contacts") == 0)
            #expect(try await server.get("/api/accounts/\(root.id.rawValue)/contacts", [admin]).status == 200)
            let key = ("x-api-key", try await server.apiKey(of: root))
            #expect(try await server.post(entry, [key]).status == 200)
        }
    }

    @Test func usersCannotAdministerLists() async throws {
        try await withServer { server in
            let alice = try await server.account("alice")
            let key = ("x-api-key", try await server.apiKey(of: alice))
            let list = "/api/accounts/\(alice.id.rawValue)/contacts"
            #expect(try await server.get(list, [key]).status == 403)
            for method in ["GET", "POST", "DELETE"] {
                #expect(try await server.send(method, "\(list)/\(alice.id.rawValue)", [key]).status == 403)
            }
        }
    }
}

extension TestServer {
    func attachContact(_ contact: TestAccount, to account: TestAccount) async throws {
        let isAttached = try await ContactRepository(self.services.database).attach(
            contact.id, to: account.id, in: .all, at: self.clock.now)
        #expect(isAttached)
    }

    /// Makes a type in the domain; returns its id.
    func accountType(_ key: String, in domain: String = "sip.example.org") async throws -> Int64 {
        try await self.services.database.query(
            """
            INSERT INTO flexi.account_types (domain_id, key) SELECT id, \(key) FROM flexi.domains WHERE name = \(domain)
            RETURNING id
            """
        )[0].decode(Int64.self)
    }

    func attachType(_ type: Int64, to account: TestAccount) async throws {
        let isAttached = try await AccountTypeRepository(self.services.database).attach(
            .init(rawValue: type), to: account.id, in: .all, at: self.clock.now)
        #expect(isAttached)
    }

    /// Makes an action, whatever the account's DTMF protocol; returns its id.
    func action(_ key: String, _ code: String, of account: TestAccount) async throws -> Int64 {
        try await self.services.database.query(
            """
            INSERT INTO flexi.account_actions (domain_id, account_id, key, code)
            SELECT domain_id, id, \(key), \(code) FROM flexi.accounts WHERE id = \(account.id)
            RETURNING id
            """
        )[0].decode(Int64.self)
    }
}

extension HTTPReply {
    /// The body as a JSON array of objects; empty when it is none.
    var list: [[String: Any]] {
        (try? JSONSerialization.jsonObject(with: Data(self.body))) as? [[String: Any]] ?? []
    }
}
