import Hummingbird

@testable import FlexiServer

/// A route as the router has it.
struct ServedRoute: Hashable, Sendable {
    let method: String
    /// With the names under which the router captures segments, such as `/api/accounts/{account}`.
    let path: String

    /// The names that the path captures.
    var captures: [String] { self.path.matches(of: /\{([^}]*)\}/).map { String($0.1) } }
}

extension ServedRoute: CustomStringConvertible {
    var description: String { "\(self.method) \(self.path)" }
}

extension TestServer {
    /// Every route that the server has. HEAD comes with GET, and is left out.
    func routes() -> [ServedRoute] {
        let router = Router(context: PublicContext.self)
        addFeatures(to: RouteGroups(router: router, services: self.services), services: self.services)
        return router.routes.filter { $0.method != .head }.map { route in
            ServedRoute(method: route.method.rawValue, path: route.path.description)
        }.sorted { ($0.path, $0.method) < ($1.path, $1.method) }
    }
}
