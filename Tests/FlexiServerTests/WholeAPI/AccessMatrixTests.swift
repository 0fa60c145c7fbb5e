import PGClient
import Testing

@testable import FlexiServer

@Suite("Access matrix")
struct AccessMatrixTests {
    @Test func everyRouteHasARowAndNoOther() async throws {
        try await withServer { server in
            let rows = AccessMatrix.rows.map(\.route.description)
            #expect(Set(rows).count == rows.count)
            #expect(AccessMatrix.rows.allSatisfy { $0.statuses.count == AccessMatrix.Caller.allCases.count })
            let served = Set(server.routes().map(\.description))
            #expect(served.subtracting(rows).sorted() == [], "routes without a row")
            #expect(Set(rows).subtracting(served).sorted() == [], "rows without a route")
        }
    }

    @Test func everyCallerIsAnsweredAsTheMatrixSays() async throws {
        try await withServer(WholeAPI.settings) {
            server in
            // One who stays, whoever else is deleted.
            _ = try await server.account("root.one", domain: "third.example.org", admin: .super)
            let common = try await Callers.make("common", on: server)
            for (number, row) in AccessMatrix.rows.enumerated() {
                // What changes a caller is asked by callers of its own.
                let callers =
                    row.route.path.contains("/me") ? try await Callers.make("\(number)", on: server) : common
                // Whoever is refused changes nothing: one account is enough for them all.
                let refused = try await FullAccount.make("\(number)-r", on: server)
                try await withThrowingTaskGroup(of: Void.self) { cells in
                    for (column, caller) in AccessMatrix.Caller.allCases.enumerated() {
                        cells.addTask {
                            let expected = try row.status(caller)
                            let full =
                                expected < 400 ? try await FullAccount.make("\(number)-\(column)", on: server) : refused
                            let reply = try await callers.ask(row.route, as: caller, about: full, "\(number)-\(column)")
                            #expect(reply.status == expected, "\(row.route) as \(caller): \(reply.text)")
                            #expect(expected != 401 || !reply.headers("WWW-Authenticate").isEmpty)
                        }
                    }
                    try await cells.waitForAll()
                }
            }
        }
    }

    /// With one domain, an administrator of another one is no administrator at all.
    @Test func administratorsOfAnotherDomainAreNobodyWhereOneIsServed() async throws {
        try await withServer { server in
            let callers = try await Callers.make("common", on: server)
            let full = try await FullAccount.make("own", on: server)
            for row in AccessMatrix.rows where row.isAdministration {
                let reply = try await callers.ask(row.route, as: .foreignAdmin, about: full, "own")
                #expect(reply.status == 403, "\(row.route): \(reply.text)")
            }
        }
    }
}

/// The callers of the matrix, as far as they have accounts.
private struct Callers: Sendable {
    private let server: TestServer
    private let accounts: [AccessMatrix.Caller: TestAccount]
    private let keys: [AccessMatrix.Caller: String]

    static func make(_ tag: String, on server: TestServer) async throws -> Callers {
        var accounts: [AccessMatrix.Caller: TestAccount] = [:]
        var keys: [AccessMatrix.Caller: String] = [:]
        for (column, caller) in AccessMatrix.Caller.allCases.enumerated()
        where caller != .noFrom && caller != .unknownFrom {
            let domain = caller == .foreignAdmin ? "other.example.org" : "sip.example.org"
            let account = try await server.account(
                "caller.\(column).\(tag)", domain: domain, isActive: caller != .inactive, admin: caller.adminScope)
            accounts[caller] = account
            keys[caller] = try await server.apiKey(of: account)
            if caller == .staleKey || caller == .staleCookie {
                try await server.services.database.execute(
                    "UPDATE flexi.api_keys SET last_used_at = last_used_at - interval '1 hour' WHERE account_id = \(account.id)"
                )
            }
        }
        return Callers(server: server, accounts: accounts, keys: keys)
    }

    func ask(
        _ route: ServedRoute, as caller: AccessMatrix.Caller, about full: FullAccount, _ tag: String
    ) async throws -> HTTPReply {
        let target = full.target(route)
        if caller.hasTheContact, route.captures.contains("contact") { try await self.list(full.contact, of: caller) }
        let headers = try await self.headers(of: caller, route.method, target)
        return try await self.server.send(route.method, target, headers, json: full.body(route, tag))
    }

    private func headers(
        of caller: AccessMatrix.Caller, _ method: String, _ target: String
    ) async throws -> [(String, String)] {
        guard let account = self.accounts[caller], let key = self.keys[caller] else {
            return caller == .noFrom ? [] : [("From", "sip:nobody@sip.example.org")]
        }
        func digest(password: String? = nil) async throws -> (String, String) {
            try await self.server.digest(account).authorization(method, target, password: password)
        }
        switch caller {
        case .inactive: return try await [account.from, digest()]
        case .wrongPassword: return try await [account.from, digest(password: "another")]
        case .staleCookie: return try await [account.from, ("Cookie", "x-api-key=\(key)"), digest()]
        case .replayedNonce:
            let client = try await self.server.digest(account)
            let me = "/api/accounts/me"
            #expect(try await self.server.get(me, [account.from, client.authorization("GET", me)]).status == 200)
            return [account.from, client.authorization(method, target)]
        default: return [account.from, ("x-api-key", key)]
        }
    }

    private func list(_ contact: FullAccount.Contact, of caller: AccessMatrix.Caller) async throws {
        guard let account = self.accounts[caller] else { return }
        try await self.server.services.database.execute(
            """
            INSERT INTO flexi.contacts (domain_id, account_id, contact_id)
            SELECT domain_id, id, \(contact.id) FROM flexi.accounts WHERE id = \(account.id)
            """
        )
    }
}

extension AccessMatrix.Caller {
    fileprivate var adminScope: AdminScope? {
        switch self {
        case .domainAdmin, .foreignAdmin: .domain
        case .superAdmin: .super
        default: nil
        }
    }

    fileprivate var hasTheContact: Bool { self == .user || self == .staleCookie }
}
