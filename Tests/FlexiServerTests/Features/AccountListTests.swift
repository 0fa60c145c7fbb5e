import Foundation
import PGClient
import Testing

@testable import FlexiServer

@Suite("List of accounts")
struct AccountListTests {
    private func names(_ reply: HTTPReply) -> [String] {
        (reply.json["data"] as? [[String: Any]] ?? []).compactMap { $0["username"] as? String }
    }

    /// An administrator and `count` accounts, user.001 and so on.
    private func fill(_ server: TestServer, _ count: Int) async throws -> (String, String) {
        let admin = try await server.administrator()
        try await server.services.database.execute(
            """
            INSERT INTO flexi.accounts (domain_id, username, activated, phone, email)
            SELECT id, 'user.' || to_char(n, 'FM000'), n % 2 = 0, '+336000001' || to_char(n, 'FM00'), 'User' || n || '@example.org'
            FROM flexi.domains, generate_series(1, \(count)) AS n WHERE name = 'sip.example.org'
            """
        )
        return admin
    }

    @Test func theEnvelopeIsTheOneThatClientsKnow() async throws {
        try await withServer(["APP_URL": "https://flexi.example.org"]) { server in
            let admin = try await self.fill(server, 2)
            let reply = try await server.get("/api/accounts?per_page=2&page=2", [admin])
            #expect(reply.status == 200)
            let account = try await server.get("/api/accounts/user.002@sip.example.org/search", [admin]).text
            let url = "https://flexi.example.org/api/accounts"
            #expect(
                reply.text
                    == #"{"current_page":2,"data":[\#(account)],"first_page_url":"\#(url)?per_page=2&page=1","from":3,"#
                    + #""last_page":2,"last_page_url":"\#(url)?per_page=2&page=2","links":["#
                    + #"{"url":"\#(url)?per_page=2&page=1","label":"&laquo; Previous","active":false},"#
                    + #"{"url":"\#(url)?per_page=2&page=1","label":"1","active":false},"#
                    + #"{"url":"\#(url)?per_page=2&page=2","label":"2","active":true},"#
                    + #"{"url":null,"label":"Next &raquo;","active":false}],"next_page_url":null,"path":"\#(url)","#
                    + #""per_page":2,"prev_page_url":"\#(url)?per_page=2&page=1","to":3,"total":3}"#)
        }
    }

    @Test func longListsLeaveLinksOut() async throws {
        try await withServer { server in
            let admin = try await self.fill(server, 59)
            let reply = try await server.get("/api/accounts?per_page=3&page=10", [admin])
            let labels = (reply.json["links"] as? [[String: Any]] ?? []).compactMap { $0["label"] as? String }
            #expect(
                labels == [
                    "&laquo; Previous", "1", "2", "...", "7", "8", "9", "10", "11", "12", "13", "...", "19", "20",
                    "Next &raquo;",
                ])
            #expect(reply.json["from"] as? Int == 28)
            #expect(reply.json["to"] as? Int == 30)
        }
    }

    @Test func twentyAccountsAreAPageAndBeyondTheEndIsNone() async throws {
        try await withServer { server in
            let admin = try await self.fill(server, 20)
            let first = try await server.get("/api/accounts", [admin])
            #expect(self.names(first).count == 20)
            #expect(first.json["last_page"] as? Int == 2)
            let beyond = try await server.get("/api/accounts?page=9", [admin])
            #expect(beyond.status == 200)
            #expect(self.names(beyond).isEmpty)
            #expect(beyond.json["from"] is NSNull)
            #expect(beyond.json["total"] as? Int == 21)
        }
    }

    /// Those of the second half are looked for from the end.
    @Test func pagesPassEveryAccountOnce() async throws {
        try await withServer { server in
            let admin = try await self.fill(server, 9)
            for size in 1...11 {
                var seen: [String] = []
                for page in 1...11 {
                    seen += try await self.names(server.get("/api/accounts?per_page=\(size)&page=\(page)", [admin]))
                }
                #expect(seen == ["admin"] + (1...9).map { "user.00\($0)" }, "\(size) a page")
            }
        }
    }

    @Test func partsAfterAnIDPassEveryAccountOnce() async throws {
        try await withServer { server in
            let admin = try await self.fill(server, 9)
            var target: String? = "/api/accounts?per_page=4&after=0"
            var seen: [String] = []
            while let next = target {
                let reply = try await server.get(next, [admin])
                seen += self.names(reply)
                #expect(reply.json["total"] is NSNull)
                target = (reply.json["next_page_url"] as? String).map {
                    $0.replacing("http://localhost:8080", with: "")
                }
            }
            #expect(seen == ["admin"] + (1...9).map { "user.00\($0)" })
        }
    }

    @Test(arguments: [
        ("username=user.00", 9), ("username=USER.01", 3), ("username=nobody", 0), ("activated=1", 7),
        ("activated=false", 6), ("phone=%2B33600000107", 1), ("email=uSER7%40example.org", 1),
        ("username=user.01&activated=true", 2), ("domain=other.example.org", 13),
    ])
    func filtersNarrowTheList(filter: String, count: Int) async throws {
        try await withServer { server in
            let admin = try await self.fill(server, 12)
            let reply = try await server.get("/api/accounts?\(filter)", [admin])
            #expect(reply.json["total"] as? Int == count)
            #expect(self.names(reply).count == count)
        }
    }

    @Test func administratorsListTheirOwnDomainsOnly() async throws {
        try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": "true"]) { server in
            let admin = try await self.fill(server, 3)
            let other = try await server.account("other.admin", domain: "other.example.org", admin: .domain)
            let key = try await ("x-api-key", server.apiKey(of: other))
            #expect(try await self.names(server.get("/api/accounts", [key])) == ["other.admin"])
            #expect(try await server.get("/api/accounts?domain=sip.example.org", [key]).status == 404)
            #expect(try await server.get("/api/accounts", [admin]).json["total"] as? Int == 5)
            let reply = try await server.get("/api/accounts?domain=other.example.org", [admin])
            #expect(self.names(reply) == ["other.admin"])
        }
    }

    @Test func everyWrongParameterIsNamed() async throws {
        try await withServer { server in
            let reply = try await server.get(
                "/api/accounts?page=0&per_page=101&username=a%20b&activated=perhaps&phone=5&email=x&after=-1",
                [server.administrator()])
            #expect(reply.status == 422)
            #expect(
                (reply.json["errors"] as? [String: Any])?.keys.sorted()
                    == ["activated", "after", "email", "page", "per_page", "phone", "username"])
        }
    }

    @Test(arguments: ["force_custom_plan", "force_generic_plan"])
    func noPartReadsTheWholeTable(planMode: String) async throws {
        try await withServer { server in
            try await server.services.database.execute(
                "INSERT INTO flexi.domains (name) SELECT 'd' || n || '.example.org' FROM generate_series(1, 20) AS n")
            try await server.services.database.execute(
                """
                INSERT INTO flexi.accounts (domain_id, username, activated)
                SELECT domain.id, 'user.' || n, true FROM flexi.domains AS domain, generate_series(1, 1000) AS n
                """
            )
            try await DatabaseOwner(server.database).vacuum("accounts")
            let scope = try DomainScope.only(#require(DomainName("d7.example.org")))
            let prefix = AccountFilter(usernamePrefix: Username("user.99"))
            let queries: [PGQuery] = [
                AccountListRepository.ids(AccountFilter(), in: scope, size: 20, offset: 0),
                AccountListRepository.ids(AccountFilter(), in: scope, size: 20, offset: 0, fromEnd: true),
                AccountListRepository.ids(AccountFilter(), in: scope, after: .init(rawValue: 5), size: 20),
                AccountListRepository.ids(AccountFilter(), in: .all, after: .init(rawValue: 5), size: 20),
                AccountListRepository.ids(prefix, in: .all, size: 20, offset: 0),
                AccountListRepository.count(AccountFilter(), in: scope),
                AccountListRepository.count(prefix, in: .all),
            ]
            for query in queries {
                let plan = try await server.services.database.withTransaction { transaction in
                    try await transaction.execute(PGQuery(unsafeSQL: "SET LOCAL plan_cache_mode = \(planMode)"))
                    return try await transaction.query("EXPLAIN \(query)").map { try $0.decode(String.self) }
                }
                #expect(!plan.contains { $0.contains("Seq Scan on accounts") }, "\(plan.joined(separator: "\n"))")
            }
        }
    }
}
