import Hummingbird

/// For whoever watches the process, so not under `/api`.
///
/// | Method | Path    | Access |
/// |--------|---------|--------|
/// | GET    | healthz | probe  |
/// | GET    | readyz  | probe  |
struct HealthRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.probe.get("healthz", use: self.showHealth)
        groups.probe.get("readyz", use: self.showReadiness)
    }

    /// The process runs; says nothing of the database, since a restart would not mend that.
    @Sendable private func showHealth(_: Request, _: PublicContext) -> Response {
        .json { json in
            json.object { json in json.member("status", "up") }
        }
    }

    /// The database answers; an error of it is 503 like everywhere.
    @Sendable private func showReadiness(_: Request, _: PublicContext) async throws -> Response {
        try await HealthRepository(self.services.database).ask()
        return .json { json in
            json.object { json in json.member("status", "ready") }
        }
    }
}
