import DigestAuth
import FoundationEssentials
import PGClient
import Testing

@testable import FlexiServer

@Suite("Accounts")
struct AccountsTests {
    // MARK: Creating

    @Test func anActivatedAccountIsCreatedAndShownAsClientsKnowIt() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let reply = try await server.post(
                "/api/accounts", [admin, ("User-Agent", "test/1.0")],
                json: """
                    {"username":"alice.liddell","password":" wonderland ","algorithm":"MD5","activated":true,
                     "display_name":" Alice ","email":"alice@example.org","phone":"+33612345678","dtmf_protocol":"sipinfo"}
                    """)
            #expect(reply.status == 200)
            #expect(reply.header("Content-Type") == "application/json")
            let id = try #require(reply.json["id"] as? Int)
            #expect(
                reply.text == """
                    {"id":\(id),"username":"alice.liddell","domain":"sip.example.org","email":"alice@example.org",\
                    "activated":true,"ip_address":"127.0.0.1","user_agent":"test/1.0","creation_time":"2026-09-24 12:00:00",\
                    "display_name":"Alice","dtmf_protocol":"sipinfo","realm":null,"phone":"+33612345678",\
                    "confirmation_key_expires":null,"passwords":[{"algorithm":"MD5"}],"admin":null,"email_changed":null,\
                    "activation_expiration":null,"types":[],"actions":[],"confirmation_key":null,"provisioning_token":null}
                    """)
        }
    }

    @Test func anAccountThatIsNotActivatedGetsItsSecretsOnceInTheClear() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let reply = try await server.post(
                "/api/accounts", [admin],
                json: """
                    {"username":"alice.liddell","password":"wonderland","algorithm":"SHA-256","activated":"0",
                     "confirmation_key_expires":"2026-10-01 08:30:00"}
                    """)
            #expect(reply.status == 200)
            #expect(reply.json["activated"] as? Bool == false)
            #expect(reply.json["confirmation_key_expires"] as? String == "2026-10-01 08:30:00")
            let key = try #require(reply.json["confirmation_key"] as? String)
            let token = try #require(reply.json["provisioning_token"] as? String)
            #expect(key.count == 13)
            #expect(token.count == 13)
            // Neither is anywhere in the database as it is.
            for table in ["activation_codes", "provisioning_tokens"] {
                let rows = try await server.services.database.query(
                    PGQuery(unsafeSQL: "SELECT row_to_json(t)::text AS text FROM flexi.\(table) AS t"))
                #expect(rows.count == 1)
                let text: String = try rows[0].decode("text")
                #expect(!text.contains(key) && !text.contains(token))
            }
        }
    }

    @Test(arguments: [("MD5", ["MD5"]), ("SHA-256", ["SHA-256"])])
    func aPasswordIsKeptUnderTheAlgorithmAskedForAndNothingWeaker(algorithm: String, expected: [String]) async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let reply = try await server.create("alice.liddell", algorithm: algorithm, admin)
            #expect(reply.status == 200)
            let rows = try await server.services.database.query(
                """
                SELECT algorithm, realm, ha1, ha1b, ha1_sha512t256 FROM flexi.passwords AS password
                JOIN flexi.accounts AS account ON account.id = password.account_id
                WHERE account.username = 'alice.liddell' ORDER BY algorithm
                """)
            #expect(try rows.map { try $0.decode("algorithm", as: String.self) } == expected)
            let row = rows[0]
            #expect(try row.decode("realm", as: String.self) == "sip.example.org")
            // Made by: printf %s alice.liddell:sip.example.org:wonderland | openssl dgst -md5 (-sha256, -sha512-256)
            if algorithm == "MD5" {
                #expect(try row.decode("ha1", as: String.self) == "e63a64e6830de364f1484d8c729112ac")
                #expect(try row.decode("ha1b", as: String?.self) == "d9dcd8b020a502135c4a20b42bfdd887")
                #expect(try row.decode("ha1_sha512t256", as: String?.self) == nil)
            } else {
                #expect(
                    try row.decode("ha1", as: String.self)
                        == "179411f549264b9251764e6ad9612685fbb7094bc083abc1d7c6c77200a0324e")
                #expect(try row.decode("ha1b", as: String?.self) == nil)
                #expect(
                    try row.decode("ha1_sha512t256", as: String?.self)
                        == "97e526372752f259a3ace1404e01311a14554bd34e0688ffadc4027cdcb8a6d8")
            }
        }
    }

    @Test func bothHashesAreKeptWhereThePolicySaysSo() async throws {
        try await withServer(["ACCOUNT_PASSWORD_HASHES": "both"]) { server in
            let admin = try await server.administrator()
            let reply = try await server.create("alice.liddell", algorithm: "MD5", admin)
            #expect(reply.text.contains(#""passwords":[{"algorithm":"MD5"},{"algorithm":"SHA-256"}]"#))
        }
    }

    @Test func everyBrokenRuleIsReportedAtOnce() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let reply = try await server.post(
                "/api/accounts", [admin],
                json: """
                    {"username":"Bob","password":"12345","algorithm":"SHA-1","email":"nobody","phone":"0612345678",
                     "display_name":7,"dtmf_protocol":"morse","activated":"maybe","admin":2,"confirmation_key_expires":"tomorrow"}
                    """)
            #expect(reply.status == 422)
            let fields = (reply.json["errors"] as? [String: Any])?.keys.sorted()
            #expect(
                fields == [
                    "activated", "admin", "algorithm", "confirmation_key_expires", "display_name", "dtmf_protocol",
                    "email", "password",
                    "phone", "username",
                ])
            #expect(reply.errors("username")?.count == 2)
            #expect(try await server.count("accounts") == 1)
        }
    }

    @Test(arguments: [
        (#"{}"#, ["algorithm", "password", "username"]),
        (#"{"username":"alice.liddell","password":"wonderland","algorithm":null}"#, ["algorithm"]),
        (#"{"username":"+33612345678","password":"wonderland","algorithm":"MD5"}"#, ["username"]),
        (#"{"username":"alice/liddell","password":"wonderland","algorithm":"MD5"}"#, ["username"]),
        (#"{"username":["alice"],"password":"wonderland","algorithm":"MD5"}"#, ["username"]),
    ])
    func aMissingOrUnfitFieldIsNamed(json: String, fields: [String]) async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let reply = try await server.post("/api/accounts", [admin], json: json)
            #expect(reply.status == 422)
            #expect((reply.json["errors"] as? [String: Any])?.keys.sorted() == fields)
        }
    }

    @Test func aPhoneNumberMayBeAUsernameWhereThatIsAllowed() async throws {
        try await withServer(["ACCOUNT_USERNAME_ALLOW_PHONE": "true"]) { server in
            let admin = try await server.administrator()
            #expect(try await server.create("+33612345678", admin).status == 200)
            let reply = try await server.create("alice.liddell", admin, more: #","phone":"+33612345678""#)
            #expect(reply.errors("phone") == ["The phone belongs to another account."])
            // It is the name that is another's number, whatever number comes with it.
            let phone = #","phone":"+33600000001""#
            #expect(try await server.create("alice.liddell", admin, more: phone).status == 200)
            let named = try await server.create("+33600000001", admin, more: #","phone":"+33600000002""#)
            #expect(named.errors("username") != nil && named.errors("phone") == nil)
        }
    }

    @Test func ofManyRequestsForOneNameOneWins() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let replies = try await race(32) { _ in try await server.create("alice.liddell", admin) }
            #expect(replies.count { $0.status == 200 } == 1)
            #expect(replies.count { $0.errors("username") == ["The username is taken."] } == 31)
            #expect(try await server.count("accounts") == 2)
            #expect(try await server.count("passwords") == 2)
        }
    }

    @Test func ofManyRequestsForOneNumberOneWins() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let replies = try await race(32) { index in
                try await server.create("account\(index)", admin, more: #","phone":"+33612345678""#)
            }
            #expect(replies.count { $0.status == 200 } == 1)
            #expect(replies.count { $0.errors("phone") == ["The phone belongs to another account."] } == 31)
            #expect(try await server.count("accounts") == 2)
            #expect(try await server.count("phone_numbers") == 1)
        }
    }

    // MARK: Domains and access

    @Test func aDomainIsIgnoredWhereOneIsAdministeredAlone() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let reply = try await server.create("alice.liddell", admin, more: #","domain":"other.example.org""#)
            #expect(reply.json["domain"] as? String == "sip.example.org")
        }
    }

    @Test func aSuperAdministratorNamesTheDomainWhichIsRegisteredWhenNew() async throws {
        try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": "true"]) { server in
            let admin = try await server.administrator(.super)
            let reply = try await server.create("alice.liddell", admin, more: #","domain":"Other.example.org""#)
            #expect(reply.json["domain"] as? String == "other.example.org")
            #expect(try await server.create("alice.liddell", admin).json["domain"] as? String == "sip.example.org")
            #expect(try await server.create("alice.liddell", admin, more: #","domain":"a b""#).errors("domain") != nil)
        }
    }

    @Test func anUnknownDomainIsRefusedWhereDomainsAreStrict() async throws {
        try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": "true", "DOMAINS_STRICT": "true"]) { server in
            let admin = try await server.administrator(.super)
            let reply = try await server.create("alice.liddell", admin, more: #","domain":"other.example.org""#)
            #expect(reply.errors("domain") == ["The domain is not registered."])
            #expect(try await server.count("domains") == 1)
        }
    }

    @Test func aDomainAdministratorCreatesInTheirOwnDomainOnly() async throws {
        try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": "true"]) { server in
            let admin = try await server.administrator(.domain, domain: "own.example.org")
            #expect(try await server.create("alice.liddell", admin).json["domain"] as? String == "own.example.org")
            #expect(try await server.create("bob.builder", admin, more: #","domain":"sip.example.org""#).status == 403)
        }
    }

    @Test func onlyAdministratorsCreateAccounts() async throws {
        try await withServer { server in
            let user = try await server.account("mallory")
            let key = try await server.apiKey(of: user)
            #expect(try await server.create("alice.liddell", ("x-api-key", key)).status == 403)
            #expect(try await server.post("/api/accounts", [user.from]).status == 401)
            #expect(try await server.post("/api/accounts").status == 422)
        }
    }

    @Test func nothingIsCreatedInASuspendedDomain() async throws {
        try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": "true"]) { server in
            let admin = try await server.administrator(.super)
            try await server.services.database.execute(
                "INSERT INTO flexi.domains (name, suspended) VALUES ('other.example.org', true)")
            let reply = try await server.create("alice.liddell", admin, more: #","domain":"other.example.org""#)
            #expect(reply.status == 403)
        }
    }

    // MARK: Reading

    @Test func ownersSeeTheirAccountWithoutItsSecrets() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            _ = try await server.create("alice.liddell", admin, more: #","activated":true,"admin":true"#)
            let alice = TestAccount(
                id: Account.ID(rawValue: 0), username: "alice.liddell", domain: "sip.example.org",
                password: "wonderland")
            let digest = try await server.digest(alice)
            let reply = try await server.get(
                "/api/accounts/me", [alice.from, digest.authorization("GET", "/api/accounts/me")])
            #expect(reply.status == 200)
            #expect(reply.json["username"] as? String == "alice.liddell")
            #expect((reply.json["admin"] as? [String: Any])?["scope"] as? String == "domain")
            #expect(reply.json["confirmation_key"] == nil)
            #expect(reply.json["provisioning_token"] == nil)
            #expect(!reply.text.contains("ha1"))
        }
    }

    @Test func anybodyMayAskWhetherAnAccountIsActivated() async throws {
        try await withServer(["ACCOUNT_REALM": "realm.example.org"]) { server in
            _ = try await server.account("alice")
            _ = try await server.account("bob", isActive: false)
            for target in [
                "alice@sip.example.org", "sip:Alice@sip.example.org", "sip%3Aalice%40sip.example.org",
                "alice@sip.example.org/info/",
            ] {
                let path = target.hasSuffix("/") ? target : target + "/info"
                let reply = try await server.get("/api/accounts/\(path)")
                #expect(reply.text == #"{"activated":true,"realm":"realm.example.org"}"#)
            }
            let bob = try await server.get("/api/accounts/bob@sip.example.org/info")
            #expect(bob.text == #"{"activated":false,"realm":"realm.example.org"}"#)
            for target in ["carol@sip.example.org", "alice@other.example.org", "alice"] {
                #expect(try await server.get("/api/accounts/\(target)/info").status == 404)
            }
        }
    }

    @Test func infoIsSilentWhereItIsTurnedOff() async throws {
        try await withServer(["INFO_ENABLED": "false"]) { server in
            _ = try await server.account("alice")
            #expect(try await server.get("/api/accounts/alice@sip.example.org/info").status == 404)
        }
    }

    @Test func anAccountOfAnotherDomainIsUnknownUnlessManyAreServed() async throws {
        for (setting, status) in [("false", 404), ("true", 200)] {
            try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": setting]) { server in
                _ = try await server.account("alice", domain: "other.example.org")
                #expect(try await server.get("/api/accounts/alice@other.example.org/info").status == status)
            }
        }
    }

    // MARK: create-admin

    @Test func anAdministratorIsCreatedOnceAndPromotedAfterwards() async throws {
        try await withServer { server in
            let creation = AccountCreation(services: server.services)
            let domain = try await DomainRepository(server.services.database).register(
                #require(DomainName("sip.example.org")))
            let root = try #require(Username("root"))
            await #expect(throws: AccountCreation.MissingPassword.self) {
                try await creation.createAdmin(root, in: domain, scope: .super, password: nil)
            }
            #expect(try await creation.createAdmin(root, in: domain, scope: .super, password: Secret("first!")))
            #expect(try await !creation.createAdmin(root, in: domain, scope: .domain, password: Secret("second!")))
            let account = TestAccount(
                id: .init(rawValue: 0), username: "root", domain: "sip.example.org", password: "second!")
            let digest = try await server.digest(account)
            let reply = try await server.get(
                "/api/accounts/me", [account.from, digest.authorization("GET", "/api/accounts/me")])
            // The lesser scope does not take the greater one away.
            #expect((reply.json["admin"] as? [String: Any])?["scope"] as? String == "super")
            #expect(reply.json["activated"] as? Bool == true)
        }
    }
}

extension TestServer {
    /// A key header of an administrator.
    func administrator(
        _ scope: AdminScope = .super, domain: String = "sip.example.org"
    ) async throws -> (String, String) {
        try await ("x-api-key", self.apiKey(of: self.account("admin", domain: domain, admin: scope)))
    }

    /// Creates an account with the password `wonderland`; `more` are further members, with a comma before each.
    func create(
        _ username: String, algorithm: String = "SHA-256", _ admin: (String, String), more: String = ""
    ) async throws -> HTTPReply {
        try await self.post(
            "/api/accounts", [admin],
            json: #"{"username":"\#(username)","password":"wonderland","algorithm":"\#(algorithm)"\#(more)}"#)
    }

    func count(_ table: String) async throws -> Int {
        try await self.services.database.query(PGQuery(unsafeSQL: "SELECT count(*) FROM flexi.\(table)"))[0].decode(
            Int.self)
    }
}
