import PGClient
import Testing

@Suite struct MemoryTests {
    /// Far more goes through than may stay: what one result takes is given back when it is dropped.
    @Test(arguments: [false, true]) func resultsAreFreedWhenTheyAreDropped(isShared: Bool) async throws {
        try await withClient({ $0.statementTimeout = .seconds(600) }) { client in
            let database: any PGQuerying = isShared ? client.sharedReads : client
            let query: PGQuery = "SELECT repeat('x', 1000000) AS text"
            try await database.query(query)
            let before = try residentMegabytes()
            for _ in 0..<700 {
                let rows = try await database.query(query)
                #expect(rows.count == 1)
            }
            // The tests beside this one take their part too.
            let growth = try residentMegabytes() - before
            #expect(growth < 500)
        }
    }
}
