import Foundation
import Hummingbird
import Testing

@testable import FlexiServer

@Suite("docs/openapi.yaml")
struct OpenAPIDocumentTests {
    @Test func theDocumentAndTheRouterHaveTheSameRoutes() async throws {
        let documented = try Self.documentedRoutes()
        try await withServer { server in
            let router = Router(context: PublicContext.self)
            addFeatures(to: RouteGroups(router: router, services: server.services), services: server.services)
            // HEAD comes with GET, and needs no words of its own.
            let served = Set(
                router.routes.filter { $0.method != .head }.map { route in
                    Self.normal("\(route.method.rawValue) \(route.path.description)")
                })
            #expect(served.subtracting(documented).sorted() == [], "served, but not documented")
            #expect(documented.subtracting(served).sorted() == [], "documented, but not served")
        }
    }

    /// Each `METHOD /path` of the document. Paths are indented by two columns, methods by four, and nothing else of
    /// `paths` is.
    private static func documentedRoutes() throws -> Set<String> {
        let url = Migrations.root.appending(path: "docs/openapi.yaml")
        let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
        var routes: Set<String> = []
        var path = ""
        for line in lines {
            if let match = line.wholeMatch(of: /\ \ (\/.*):/) {
                path = String(match.1)
            } else if let match = line.wholeMatch(of: /\ \ \ \ (get|post|put|patch|delete):/) {
                routes.insert(self.normal("\(match.1.uppercased()) \(path)"))
            }
        }
        return routes
    }

    /// Whatever a segment captures is called differently by those who read the document and by the router.
    private static func normal(_ route: String) -> String {
        route.replacing(/\{[^}]*\}/, with: "{}")
    }
}
