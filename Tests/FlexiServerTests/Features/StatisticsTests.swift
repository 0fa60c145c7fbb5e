import Foundation
import PGClient
import PGTesting
import Testing

@testable import FlexiServer

/// The test's clock stands at 2026-09-24 12:00:00.
@Suite("Statistics")
struct StatisticsTests {
    @Test(arguments: [
        // The period, how many parts it has, the first and the last of them.
        ("day", 25, "2026-09-23 12", "2026-09-24 12"),
        ("week", 8, "2026-09-17", "2026-09-24"),
        ("month", 32, "2026-08-24", "2026-09-24"),
    ])
    func everyPartOfAPeriodIsThereInOrder(period: String, count: Int, first: String, last: String) async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            try await server.makeAccountsOld()
            for path in ["statistics", "statistic"] {
                let reply = try await server.get("/api/\(path)/\(period)", [admin])
                #expect(reply.status == 200)
                #expect(reply.header("Content-Type") == "application/json")
                let zeros = #"{"all":0,"phone":0,"email":0,"activated_phone":0,"activated_email":0}"#
                #expect(reply.text.hasPrefix(#"{"\#(first)":\#(zeros),""#))
                #expect(reply.text.hasSuffix(#","\#(last)":\#(zeros)}"#))
                let keys = reply.text.matches(of: #/"(\d{4}-\d\d-\d\d(?: \d\d)?)":/#).map { String($0.output.1) }
                #expect(keys.count == count)
                #expect(keys == keys.sorted() && Set(keys).count == count)
            }
        }
    }

    @Test func aDayCountsHoursFromTheirStartToTheirEnd() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            try await server.makeAccountsOld()
            try await server.accounts(made: [
                .init("2026-09-23 11:59:59"),
                .init("2026-09-23 12:00:00", hasPhone: true), .init("2026-09-23 12:59:59.999999"),
                .init("2026-09-24 00:00:00", isActive: true),
                .init("2026-09-24 00:30:00", hasPhone: true, isActive: true),
                .init("2026-09-24 00:59:59", hasPhone: true),
                .init("2026-09-24 12:00:00"), .init("2026-09-24 12:59:59"), .init("2026-09-24 13:00:00"),
            ])
            let counts = try await server.statistics("day", [admin])
            #expect(
                counts.filter { $0.value != [0, 0, 0, 0, 0] }.keys.sorted() == [
                    "2026-09-23 12", "2026-09-24 00", "2026-09-24 12",
                ])
            // All, phone, email, activated with a phone, activated without.
            #expect(counts["2026-09-23 12"] == [2, 1, 1, 0, 0])
            #expect(counts["2026-09-24 00"] == [3, 2, 1, 1, 1])
            #expect(counts["2026-09-24 12"] == [2, 0, 2, 0, 0])
        }
    }

    @Test func aWeekAndAMonthCountDays() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            try await server.makeAccountsOld()
            try await server.accounts(made: [
                .init("2026-08-23 23:59:59"), .init("2026-08-24 00:00:00"),
                .init("2026-09-16 23:59:59"), .init("2026-09-17 00:00:00", hasPhone: true, isActive: true),
                .init("2026-09-24 23:59:59"), .init("2026-09-25 00:00:00"),
            ])
            let week = try await server.statistics("week", [admin]).filter { $0.value[0] > 0 }
            #expect(week == ["2026-09-17": [1, 1, 0, 1, 0], "2026-09-24": [1, 0, 1, 0, 0]])
            let month = try await server.statistics("month", [admin]).filter { $0.value[0] > 0 }
            #expect(
                month == [
                    "2026-08-24": [1, 0, 1, 0, 0], "2026-09-16": [1, 0, 1, 0, 0], "2026-09-17": [1, 1, 0, 1, 0],
                    "2026-09-24": [1, 0, 1, 0, 0],
                ])
        }
    }

    @Test func theSessionsTimeZoneChangesNothing() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            try await server.makeAccountsOld()
            try await server.accounts(made: [.init("2026-09-17 00:00:00"), .init("2026-09-24 23:30:00")])
            let before = try await server.statistics("week", [admin])
            #expect(before["2026-09-17"] == [1, 0, 1, 0, 0] && before["2026-09-24"] == [1, 0, 1, 0, 0])
            try await DatabaseOwner(server.database).run(
                "ALTER DATABASE \(server.database.name) SET timezone = 'Pacific/Kiritimati'")
            // Connections that are made from now on.
            try await withServer(on: server.database, clock: server.clock) { later in
                let zone = try await later.services.database.query("SHOW timezone")[0].decode(String.self)
                #expect(zone == "Pacific/Kiritimati")
                #expect(try await later.statistics("week", [admin]) == before)
            }
        }
    }

    @Test(arguments: [
        ("2026-03-31 10:00:00", "2026-02-28", 32), ("2028-03-31 00:00:00", "2028-02-29", 32),
        ("2026-01-15 23:59:59", "2025-12-15", 32), ("2026-03-01 00:00:00", "2026-02-01", 29),
    ])
    func aMonthBeginsOnItsDateOrOnItsLastDay(now: String, first: String, count: Int) throws {
        let starts = try StatisticsPeriod.month.starts(at: #require(TimeText.date(plain: now)))
        #expect(starts.count == count)
        #expect(starts.first.map(StatisticsPeriod.month.key) == first)
        #expect(starts.last.map(StatisticsPeriod.month.key) == String(now.prefix(10)))
    }

    @Test func administratorsCountTheirDomains() async throws {
        try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": "true"]) { server in
            let here = try await server.administrator(.domain)
            let there = try await server.administrator(.domain, domain: "other.example.org")
            let root = try await server.administrator(.super, domain: "third.example.org")
            try await server.makeAccountsOld()
            try await server.accounts(made: [.init("2026-09-24 11:00:00"), .init("2026-09-24 11:10:00")])
            try await server.accounts(made: [.init("2026-09-24 11:20:00")], domain: "other.example.org")
            for (admin, expected) in [(here, 2), (there, 1), (root, 3)] {
                for (period, key) in [("day", "2026-09-24 11"), ("week", "2026-09-24"), ("month", "2026-09-24")] {
                    #expect(try await server.statistics(period, [admin])[key]?.first == expected)
                }
            }
        }
    }

    @Test(arguments: [
        "statistics/day", "statistics/week", "statistics/month", "statistic/day", "statistic/week", "statistic/month",
    ])
    func usersSeeNone(path: String) async throws {
        try await withServer { server in
            let key = ("x-api-key", try await server.apiKey(of: server.account()))
            #expect(try await server.get("/api/\(path)", [key]).status == 403)
        }
    }

    @Test(arguments: ["force_custom_plan", "force_generic_plan"])
    func countingReadsOneRangeOfAnIndex(planMode: String) async throws {
        try await withServer { server in
            let name = try #require(DomainName("domain-7.example.org"))
            // 100,000 accounts in 20 domains, over a hundred days.
            for number in 0..<20 {
                let domain = try #require(DomainName("domain-\(number).example.org"))
                let registered = try await DomainRepository(server.services.database).register(domain)
                try await server.services.database.execute(
                    """
                    INSERT INTO flexi.accounts (domain_id, username, activated, creation_time)
                    SELECT \(registered.id), 'user-' || n, true, \(server.clock.now) - n * interval '86400 seconds' / 50
                    FROM generate_series(0, 4999) AS n
                    """)
            }
            try await DatabaseOwner(server.database).vacuum("accounts")
            for (scope, index) in [
                (DomainScope.all, "accounts_creation_time_idx"), (.only(name), "accounts_domain_id_creation_time_idx"),
            ] {
                let starts = StatisticsPeriod.day.starts(at: server.clock.now)
                let (first, last) = try (#require(starts.first), #require(starts.last))
                let query = StatisticsRepository.registrations(
                    from: first, to: last.addingTimeInterval(3_600), step: 3_600, in: scope)
                let plan = try await server.services.database.withTransaction { transaction in
                    try await transaction.execute(PGQuery(unsafeSQL: "SET LOCAL plan_cache_mode = \(planMode)"))
                    return try await transaction.query("EXPLAIN \(query)").map { row in try row.decode(String.self) }
                }
                let text = plan.joined(separator: "\n")
                #expect(text.contains("Index Only Scan using \(index) on accounts"), "\(text)")
                #expect(!text.contains("Seq Scan on accounts"), "\(text)")
                #expect(text.contains("Index Cond:") && text.contains("creation_time >="), "\(text)")
                // And it counts: one account of each domain every 1728 seconds.
                let counts = try await StatisticsRepository(server.services.database).countRegistrations(
                    from: starts, step: 3_600, in: scope)
                let expected = (0..<5_000).count { number in
                    server.clock.now.addingTimeInterval(Double(-number * 1_728)) >= first
                }
                #expect(counts.values.reduce(0) { $0 + $1.all } == Int64(expected * (scope == .all ? 20 : 1)))
            }
        }
    }
}

extension TestServer {
    /// An account made at a time, in UTC.
    struct Made: Sendable {
        let time: String
        var hasPhone = false
        var isActive = false

        init(_ time: String, hasPhone: Bool = false, isActive: Bool = false) {
            self.time = time
            self.hasPhone = hasPhone
            self.isActive = isActive
        }
    }

    /// Moves every account out of what statistics count.
    func makeAccountsOld() async throws {
        try await self.services.database.execute("UPDATE flexi.accounts SET creation_time = '2020-01-01 00:00:00Z'")
    }

    func accounts(made: [Made], domain: String = "sip.example.org") async throws {
        for (index, account) in made.enumerated() {
            let phone: String? = account.hasPhone ? "+3361234500\(index)" : nil
            try await self.services.database.execute(
                """
                INSERT INTO flexi.accounts (domain_id, username, phone, activated, creation_time)
                SELECT id, \("made-\(index)"), \(phone), \(account.isActive), \(account.time + "Z")::timestamptz
                FROM flexi.domains WHERE name = \(domain)
                """)
        }
    }

    /// The members of the answer, each as all, phone, email, activated with a phone, activated without.
    func statistics(_ period: String, _ headers: [(String, String)]) async throws -> [String: [Int]] {
        let reply = try await self.get("/api/statistics/\(period)", headers)
        #expect(reply.status == 200)
        return reply.json.mapValues { value in
            let counts = value as? [String: Int] ?? [:]
            return ["all", "phone", "email", "activated_phone", "activated_email"].map { counts[$0] ?? -1 }
        }
    }
}
