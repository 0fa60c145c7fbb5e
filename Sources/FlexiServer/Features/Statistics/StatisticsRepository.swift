import FoundationEssentials
import PGClient

/// How many accounts were made when.
struct StatisticsRepository: Sendable {
    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    /// Counts the accounts made from each start on until `step` seconds later; accounts that were deleted since do not count.
    func countRegistrations(
        from starts: [Date], step: Int, in scope: DomainScope
    ) async throws -> [Date: RegistrationCounts] {
        guard let first = starts.first, let last = starts.last else { return [:] }
        let rows = try await self.db.query(
            Self.registrations(from: first, to: last.addingTimeInterval(Double(step)), step: step, in: scope))
        return try Dictionary(
            uniqueKeysWithValues: rows.map { row in
                let counts = try RegistrationCounts(
                    all: row.decode("all"), phone: row.decode("phone"), activated: row.decode("activated"),
                    activatedPhone: row.decode("activated_phone"))
                return try (row.decode("start"), counts)
            })
    }

    /// Reads one range of the index on creation times, of the one domain or of all.
    static func registrations(from first: Date, to end: Date, step: Int, in scope: DomainScope) -> PGQuery {
        let inScope: PGQuery =
            switch scope {
            case .all: "true"
            case .only: "account.domain_id = (SELECT domain.id FROM flexi.domains AS domain WHERE \(scope.condition))"
            }
        return """
            SELECT date_bin(make_interval(secs => \(Double(step))), account.creation_time, \(first)) AS start,
                count(*) AS all, count(account.phone) AS phone,
                count(*) FILTER (WHERE account.activated) AS activated,
                count(account.phone) FILTER (WHERE account.activated) AS activated_phone
            FROM flexi.accounts AS account
            WHERE account.creation_time >= \(first) AND account.creation_time < \(end) AND \(inScope)
            GROUP BY start
            """
    }
}
