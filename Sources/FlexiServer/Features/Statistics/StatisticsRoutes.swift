import HTTPTypes
import Hummingbird

/// | Method | Path                        | Access |
/// |--------|-----------------------------|--------|
/// | GET    | statistics/{day,week,month} | admin  |
/// | GET    | statistic/{day,week,month}  | admin  |
struct StatisticsRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        for period in StatisticsPeriod.allCases {
            let show: @Sendable (Request, AdminContext) async throws -> Response = { _, context in
                try await self.show(period, in: context.scope)
            }
            groups.admin.get("statistics/\(period.rawValue)", use: show)
            // As clients of the reference system ask.
            groups.admin.get("statistic/\(period.rawValue)", use: show)
        }
    }

    /// Every part of the period has its member, also where nothing was counted.
    private func show(_ period: StatisticsPeriod, in scope: DomainScope) async throws -> Response {
        let starts = period.starts(at: self.services.now())
        let counts = try await StatisticsRepository(self.services.database).countRegistrations(
            from: starts, step: period.step, in: scope)
        return .json { json in
            json.object { json in
                for start in starts {
                    json.member(named: period.key(start)) { json in
                        (counts[start] ?? RegistrationCounts()).write(to: &json)
                    }
                }
            }
        }
    }
}
