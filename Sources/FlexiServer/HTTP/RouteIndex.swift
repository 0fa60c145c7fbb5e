import HTTPTypes
import Hummingbird

/// The routes once more, for what the router does not tell: which methods an address knows, and which of its segments
/// are secret.
struct RouteIndex: Sendable {
    private struct Route: Sendable {
        let segments: [Substring]
        var methods: [HTTPRequest.Method]
    }

    private let routes: [Route]
    private let words: Set<Substring>
    private let secretTemplates: Set<String>

    init(_ router: Router<PublicContext>) {
        var routes: [String: Route] = [:]
        for route in router.routes {
            let template = route.path.description
            routes[template, default: Route(segments: template.split(separator: "/"), methods: [])].methods.append(
                route.method)
        }
        self.routes = Array(routes.values)
        self.words = Set(self.routes.flatMap(\.segments).filter { !Self.isCapture($0) })
        self.secretTemplates = Set(
            routes.keys.filter { template in
                template.contains("token}") || template.contains("code}")
            })
    }

    /// The methods of the route that serves the path, in alphabetical order; `nil` when none does.
    func methods(of path: String) -> [HTTPRequest.Method]? {
        let segments = path.split(separator: "/")
        let matching = self.routes.filter { Self.matches($0.segments, segments) }
        // As the router does: words go before captures, from left to right.
        let best = matching.min { first, second in
            first.segments.map(Self.isCapture).lexicographicallyPrecedes(second.segments.map(Self.isCapture)) {
                !$0 && $1
            }
        }
        return best?.methods.sorted { $0.rawValue < $1.rawValue }
    }

    /// The path as a log may show it: with the name in place of a token or code, and without whatever is not known to
    /// be harmless where no route serves it.
    func loggable(_ path: String, template: String?) -> String {
        guard let template else {
            let segments = path.split(separator: "/", maxSplits: 16).map { self.words.contains($0) ? $0 : "…" }
            return "/" + segments.joined(separator: "/")
        }
        return self.secretTemplates.contains(template) ? template : path
    }

    private static func matches(_ template: [Substring], _ segments: [Substring]) -> Bool {
        template.count == segments.count && zip(template, segments).allSatisfy { self.isCapture($0) || $0 == $1 }
    }

    private static func isCapture(_ segment: Substring) -> Bool {
        segment.utf8.first == UInt8(ascii: "{")
    }
}
