import PGClient

@testable import FlexiServer

extension TestServer {
    /// Stands for every row of every table, so that two of them tell whether anything changed in between. Nonce counts, which a
    /// request leaves behind whatever comes of it, do not matter.
    func contents() async throws -> String {
        let tables = try await self.services.database.query(
            """
            SELECT relname::text FROM pg_class
            WHERE relnamespace = 'flexi'::regnamespace AND relkind = 'r' AND relname NOT LIKE 'digest\\_%'
            ORDER BY relname
            """
        ).map { try $0.decode(String.self) }
        let sums = tables.map { table in
            "SELECT '\(table) ' || count(*) || ' ' || coalesce(sum(hashtextextended(row::text, 0)), 0) FROM flexi.\(table) AS row"
        }
        let rows = try await self.services.database.query(PGQuery(unsafeSQL: sums.joined(separator: " UNION ALL ")))
        let lines: [String] = try rows.map { try $0.decode(String.self) }
        return lines.joined(separator: "\n")
    }
}
