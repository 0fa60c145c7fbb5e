import Foundation
import PGClient
import PGTesting
import Testing

@testable import FlexiServer

/// The plan of every statement that a request runs, the checks of its foreign keys included, as PostgreSQL's auto_explain tells it.
@Suite("Query plans")
struct QueryPlanTests {
    @Test(arguments: ["force_custom_plan", "force_generic_plan"])
    func noRouteReadsAWholeTable(planMode: String) async throws {
        try await withTestDatabase(template: TestTemplate.shared.name()) { database in
            let owner = DatabaseOwner(database)
            try await Population.fill(owner)
            try await owner.explainEveryStatement(of: database.name, planMode: planMode)
            try await withServer(on: database, WholeAPI.settings, clock: TestClock()) { server in
                let small = try await server.smallTables()
                #expect(small.isSubset(of: ["domains", "admins", "digest_epoch"]), "too little of something: \(small)")
                var explained = 0
                for (number, route) in server.routes().enumerated() {
                    let isAdministration = AccessMatrix.rows.contains { $0.route == route && $0.isAdministration }
                    let plans = try await server.plans(of: route, number, asAdmin: isAdministration)
                    let whole = plans.filter { plan in
                        plan.matches(of: /Seq Scan on (\w+)/).contains { !small.contains(String($0.1)) }
                    }
                    #expect(whole.isEmpty, "\(route):\n\(whole.joined(separator: "\n"))")
                    explained += plans.count
                }
                #expect(explained >= 2 * AccessMatrix.rows.count, "nobody explained the statements")
                _ = try await server.services.database.query("SELECT FROM flexi.accounts WHERE display_name = 'nobody'")
                #expect(server.plans().last?.contains("Seq Scan on accounts") == true, "nobody would have noticed")
            }
        }
    }
}

extension DatabaseOwner {
    /// From the next connection on, each statement is followed by a notice with its plan.
    fileprivate func explainEveryStatement(of database: String, planMode: String) async throws {
        let settings = [
            "session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": "0",
            "auto_explain.log_level": "notice", "auto_explain.log_nested_statements": "on", "plan_cache_mode": planMode,
        ]
        for (name, value) in settings { try await self.run("ALTER DATABASE \"\(database)\" SET \(name) = '\(value)'") }
    }
}

extension TestServer {
    /// Tables of a page or two, of which nothing is faster than to read them.
    fileprivate func smallTables() async throws -> Set<String> {
        let names: [String] = try await self.services.database.query(
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'flexi'::regnamespace AND relkind = 'r' AND relpages <= 2"
        ).map { try $0.decode(String.self) }
        return Set(names)
    }

    /// Asks once by API key, and returns the plans of all that this made PostgreSQL do.
    fileprivate func plans(of route: ServedRoute, _ number: Int, asAdmin isAdmin: Bool) async throws -> [String] {
        let full = try await FullAccount.make("\(number)", domain: "d7.example.org", on: self)
        let caller = try await self.account(
            "caller.\(number)", domain: "d7.example.org", admin: isAdmin ? .domain : nil)
        let headers = try await [caller.from, ("x-api-key", self.apiKey(of: caller))]
        let before = self.plans().count
        let reply = try await self.send(route.method, full.target(route), headers, json: full.body(route, "\(number)"))
        let needsNeighbour = AccessMatrix.rows.contains { $0.route == route && $0.needsNeighbour }
        #expect(reply.status < 500 || reply.status == 503 && needsNeighbour)
        return Array(self.plans().dropFirst(before))
    }

    fileprivate func plans() -> [String] {
        self.log.events("notice from the database server").compactMap { event in
            (event["pg.message"] as? String).flatMap { $0.contains("Query Text") ? $0 : nil }
        }
    }
}
