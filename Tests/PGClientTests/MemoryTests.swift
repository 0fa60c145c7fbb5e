import Glibc
import PGClient
import Testing

@Suite struct MemoryTests {
    /// Far more goes through than may stay: what one result takes is given back when it is dropped.
    @Test(arguments: [false, true]) func resultsAreFreedWhenTheyAreDropped(isShared: Bool) async throws {
        try await withClient({ $0.statementTimeout = .seconds(600) }) { client in
            let database: any PGQuerying = isShared ? client.sharedReads : client
            let query: PGQuery = "SELECT repeat('x', 1000000) AS text"
            try await database.query(query)
            let before = try self.residentMegabytes()
            for _ in 0..<700 {
                let rows = try await database.query(query)
                #expect(rows.count == 1)
            }
            // The address sanitizer keeps 256 MB of what was freed; the tests beside this one take their part too.
            let growth = try self.residentMegabytes() - before
            #expect(growth < 500)
        }
    }

    private func residentMegabytes() throws -> Int {
        let file = try #require(fopen("/proc/self/statm", "r"))
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        try #require(fgets(&line, Int32(line.count), file) != nil)
        let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let pages = try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        return pages * sysconf(Int32(_SC_PAGESIZE)) / 1_048_576
    }
}
