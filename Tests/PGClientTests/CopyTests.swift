import Foundation
import PGClient
import PGTesting
import Testing

@Suite struct CopyTests {
    func withTable<R: Sendable>(_ body: (PGClient) async throws -> R) async throws {
        try await withClient { client in
            try await client.execute("CREATE TABLE t (id int NOT NULL, name text, at timestamptz)")
            _ = try await body(client)
        }
    }

    @Test func textIsCopiedInAndOutUnchanged() async throws {
        try await self.withTable { client in
            let lines = (0..<20_000).map { "\($0)\tname \($0) \\\\ Zoë\t\\N\n" }.joined()
            let count = try await client.copyIn("COPY t FROM STDIN") { writer in
                // In pieces that end anywhere.
                var rest = Array(lines.utf8)[...]
                while !rest.isEmpty {
                    try await writer.write(rest.prefix(999))
                    rest = rest.dropFirst(999)
                }
            }
            #expect(count == 20_000)
            let copied = try await client.copyOut("COPY (SELECT * FROM t ORDER BY id) TO STDOUT") { data in
                var all: [UInt8] = []
                for try await piece in data { all += piece }
                return all
            }
            #expect(copied == Array(lines.utf8))
        }
    }

    @Test func rowsOfValuesAreCopiedInBinaryForm() async throws {
        try await self.withTable { client in
            let at = Date(timeIntervalSince1970: 1_800_000_000)
            let count = try await client.copyIn("COPY t FROM STDIN (FORMAT binary)") { writer in
                for id in 0..<5000 as Range<Int32> {
                    try await writer.write(row: id, id.isMultiple(of: 2) ? "name\t\(id)" : nil, at)
                }
            }
            #expect(count == 5000)
            let row = try #require(
                try await client.query("SELECT count(*), count(name), min(name), max(at), sum(id) FROM t").only)
            let values = try row.decode((Int, Int, String, Date, Int).self)
            #expect(values == (5000, 2500, "name\t0", at, 4999 * 5000 / 2))
        }
    }

    @Test(arguments: ["COPY t FROM STDIN", "COPY t FROM STDIN (FORMAT binary)"] as [PGQuery])
    func noRowsAreCopied(query: PGQuery) async throws {
        try await self.withTable { client in
            let count = try await client.copyIn(query) { _ in }
            #expect(count == 0)
        }
    }

    @Test func whatIsInBinaryFormAlreadyIsCopiedAsItIs() async throws {
        try await self.withTable { client in
            try await client.execute("INSERT INTO t VALUES (1, 'name', now())")
            let copied = try await client.copyOut("COPY t TO STDOUT (FORMAT binary)") { data in
                var all: [UInt8] = []
                for try await piece in data { all += piece }
                return all
            }
            let count = try await client.copyIn("COPY t FROM STDIN (FORMAT binary)") { try await $0.write(copied) }
            #expect(count == 1)
        }
    }

    @Test func valuesAreNotWrittenInATextCopy() async throws {
        try await self.withTable { client in
            let error = await #expect(throws: PGError.self) {
                try await client.copyIn("COPY t FROM STDIN") { try await $0.write(row: 1 as Int32, "x", nil) }
            }
            #expect(error?.code == .invalidState)
            try await self.expectEmpty(client)
        }
    }

    @Test func aStatementThatFailsIsKnownBeforeAnythingIsWritten() async throws {
        try await self.withTable { client in
            let error = await #expect(throws: PGError.self) {
                try await client.copyIn("COPY nothing FROM STDIN") { _ in Issue.record("the writer was called") }
            }
            #expect(error?.sqlState == "42P01")
            try await client.query("SELECT 1")
        }
    }

    @Test func aWriterThatThrowsUndoesTheCopy() async throws {
        struct Stop: Error {}
        try await self.withTable { client in
            await #expect(throws: Stop.self) {
                try await client.copyIn("COPY t FROM STDIN") { writer in
                    try await writer.write(Array("1\tx\t\\N\n".utf8))
                    throw Stop()
                }
            }
            try await self.expectEmpty(client)
        }
    }

    @Test func badDataEndAWriterThatWouldGoOnForEver() async throws {
        try await self.withTable { client in
            let error = await #expect(throws: PGError.self) {
                try await client.copyIn("COPY t FROM STDIN") { writer in
                    while true { try await writer.write(Array("no number\tx\t\\N\n".utf8)) }
                }
            }
            #expect(error?.sqlState == "22P02")
            try await self.expectEmpty(client)
        }
    }

    @Test func aCancelledWriterUndoesTheCopy() async throws {
        try await self.withTable { client in
            let hasWritten = Flag()
            try await withThrowingTaskGroup { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) {
                        try await client.copyIn("COPY t FROM STDIN") { writer in
                            while true {
                                try await writer.write(Array("1\tx\t\\N\n".utf8))
                                hasWritten.set()
                            }
                        }
                    }
                }
                try await eventually { hasWritten.isSet }
                group.cancelAll()
                try await group.waitForAll()
            }
            try await self.expectEmpty(client)
        }
    }

    @Test func aWriterIsNoFasterThanTheServer() async throws {
        try await self.withTable { client in
            try await client.withTransaction { transaction in
                try await transaction.execute("LOCK TABLE t")
                let written = Counter()
                try await withThrowingTaskGroup { group in
                    group.addTask {
                        // Waits for the lock before it takes data, and then for as long as nobody reads.
                        try await client.copyIn("COPY t FROM STDIN") { writer in
                            let line = Array("1\t\(String(repeating: "x", count: 1000))\t\\N\n".utf8)
                            for _ in 0..<20_000 {
                                try await writer.write(line)
                                written.add(1)
                            }
                        }
                    }
                    try await eventually { try await client.isRunning("COPY t") }
                    #expect(written.value == 0)
                    _ = try await transaction.simpleQuery(unsafeSQL: "COMMIT; BEGIN")
                    try await group.waitForAll()
                }
            }
            #expect(try await client.query("SELECT count(*) FROM t").only?.decode("count") == 20_000)
        }
    }

    @Test func leavingACopyOutEarlyKeepsTheConnection() async throws {
        try await withClient({ $0.pool.maximum = 1 }) { client in
            try await client.copyOut("COPY (SELECT generate_series(1, 1000000000)) TO STDOUT") { data in
                for try await _ in data { break }
            }
            try await client.query("SELECT 1")
            #expect(client.statistics.connectionsMade == 1)
        }
    }

    @Test func aCopyTakesNoParameters() async throws {
        try await self.withTable { client in
            let error = await #expect(throws: PGError.self) {
                try await client.copyOut("COPY (SELECT \(1)) TO STDOUT") { _ in }
            }
            #expect(error?.code == .invalidParameter)
        }
    }

    @Test func aStatementThatIsNoCopyIsHandledByItsCopyCall() async throws {
        try await self.withTable { client in
            let error = await #expect(throws: PGError.self) { try await client.copyIn("SELECT 1") { _ in } }
            #expect(error?.code == .invalidState)
            try await client.query("SELECT 1")
        }
    }

    func expectEmpty(_ client: PGClient, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let rows = try await client.query("SELECT 1 FROM t LIMIT 1")
        #expect(rows.isEmpty, sourceLocation: sourceLocation)
        #expect(client.statistics.connectionsLost == 0, sourceLocation: sourceLocation)
    }
}
