import Testing

@testable import FlexiServer

@Suite("Access of administrators")
struct AdminScopeTests {
    @Test(arguments: [
        // Whether many domains are served, the account's domain and scope, and whether it may act.
        (false, "sip.example.org", AdminScope.domain, true),
        (false, "sip.example.org", .super, true),
        (false, "other.example.org", .super, true),
        (false, "other.example.org", .domain, false),
        (true, "other.example.org", .domain, true),
        (true, "other.example.org", .super, true),
    ])
    func anAdministratorActsWhereTheyMay(
        manyDomains: Bool, domain: String, scope: AdminScope, mayAct: Bool
    ) async throws {
        try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": "\(manyDomains)"]) { server in
            let admin = try await server.account("admin", domain: domain, admin: scope)
            let key = try await server.apiKey(of: admin)
            // An invalid body: who may act is told what is wrong with it.
            let reply = try await server.post("/api/accounts", [("x-api-key", key)])
            #expect(reply.status == (mayAct ? 422 : 403))
            #expect(try await server.get("/api/accounts/me", [("x-api-key", key)]).status == 200)
        }
    }

    @Test func everybodyElseIsRefusedBeforeTheBodyIsRead() async throws {
        try await withServer { server in
            let key = try await server.apiKey(of: server.account())
            let reply = try await server.post("/api/accounts", [("x-api-key", key)], json: "{")
            #expect(reply.status == 403)
            #expect(reply.text == #"{"message":"Only administrators may do this."}"#)
        }
    }
}
