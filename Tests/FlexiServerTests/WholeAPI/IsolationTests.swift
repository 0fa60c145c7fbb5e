import Foundation
import PGClient
import Testing

@testable import FlexiServer

@Suite("Isolation of domains")
struct IsolationTests {
    /// What is left of an answer when the time is taken away.
    private func bytes(_ reply: HTTPReply) -> String {
        let headers = reply.headers.filter { $0.name.lowercased() != "date" }.map { "\($0.name): \($0.value)" }
        return ([String(reply.status)] + headers + [reply.text]).joined(separator: "\n")
    }

    /// For each route of administrators, and each of its ids: one of another domain, and one of nothing.
    @Test func whatBelongsToAnotherDomainIsWhatDoesNotExist() async throws {
        try await withServer(WholeAPI.settings) { server in
            let own = try await FullAccount.make("own", on: server)
            let foreign = try await FullAccount.make("foreign", domain: "other.example.org", on: server)
            let admin = try await server.account("admin.one", admin: .domain)
            let headers = try await [
                ("x-api-key", server.apiKey(of: admin)), ("X-Request-Id", "isolation"),
            ]
            let before = try await server.contents()
            var asked = 0
            for route in AccessMatrix.rows.filter(\.isAdministration).map(\.route) where !route.captures.isEmpty {
                for others in Self.subsets(of: route.captures) {
                    func target(_ other: (String) -> String) -> String {
                        route.captures.reduce(route.path) { path, name in
                            let value = others.contains(name) ? other(name) : own.value(of: name, in: route)
                            return path.replacing("{\(name)}", with: value)
                        }
                    }
                    let isAddress = FullAccount.namesByAddress(route)
                    let hidden = target { foreign.value(of: $0, in: route) }
                    let missing = target { _ in isAddress ? "nobody@other.example.org" : "9000000000" }
                    let body = own.body(route, "new")
                    let first = try await server.send(route.method, hidden, headers, json: body)
                    let second = try await server.send(route.method, missing, headers, json: body)
                    #expect(self.bytes(first) == self.bytes(second), "\(route.method) \(hidden)")
                    #expect(first.status == 404, "\(route.method) \(hidden)")
                    asked += 1
                }
            }
            #expect(asked >= 24)
            #expect(try await server.contents() == before)
        }
    }

    /// A domain that is named, not addressed.
    @Test(arguments: [
        ("GET", "/api/accounts?domain=%", nil), ("GET", "/api/account_types?domain=%", nil),
        ("POST", "/api/accounts", #"{"username":"made.new","password":"wonderland","algorithm":"MD5","domain":"%"}"#),
        ("POST", "/api/account_types", #"{"key":"made-new","domain":"%"}"#),
    ])
    func theNameOfAnotherDomainSaysNothing(method: String, target: String, body: String?) async throws {
        try await withServer(WholeAPI.settings) { server in
            _ = try await FullAccount.make("foreign", domain: "other.example.org", on: server)
            let admin = try await server.account("admin.one", admin: .domain)
            let headers = try await [("x-api-key", server.apiKey(of: admin)), ("X-Request-Id", "isolation")]
            let before = try await server.contents()
            let replies = try await ["other.example.org", "never.example.org"].asyncMap { domain in
                try await server.send(
                    method, target.replacing("%", with: domain), headers, json: body?.replacing("%", with: domain))
            }
            #expect(self.bytes(replies[0]) == self.bytes(replies[1]))
            #expect([403, 404].contains(replies[0].status))
            #expect(try await server.contents() == before)
        }
    }

    /// Every set of some of the names.
    private static func subsets(of names: [String]) -> [[String]] {
        names.reduce([[]]) { sets, name in sets + sets.map { $0 + [name] } }.filter { !$0.isEmpty }
    }
}

extension Sequence {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { try await results.append(transform(element)) }
        return results
    }
}
