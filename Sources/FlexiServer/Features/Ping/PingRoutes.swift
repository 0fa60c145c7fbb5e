import Hummingbird

/// | Method | Path     | Access |
/// |--------|----------|--------|
/// | GET    | api/ping | open   |
struct PingRoutes: Sendable {
    func add(to groups: RouteGroups) {
        groups.open.get("ping", use: self.answer)
    }

    @Sendable private func answer(_: Request, _: PublicContext) -> Response {
        .text("pong")
    }
}
