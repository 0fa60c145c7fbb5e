import PGClient
import Testing

@Suite struct QueryTests {
    @Test func interpolatedValuesBecomeParameters() {
        let name = "x'; DROP TABLE accounts; --"
        let nothing: Int? = nil
        let query: PGQuery = "UPDATE accounts SET name = \(name), age = \(nothing) WHERE id = \(7)"
        #expect(query.sql == "UPDATE accounts SET name = $1, age = $2 WHERE id = $3")
        #expect(query.binds.map(\.type) == [.text, .int8, .int8])
        #expect(query.binds.map(\.isNull) == [false, true, false])
        #expect("\(query)" == query.sql)
    }

    @Test func theParametersOfAPartAreNumberedOn() {
        let ten: PGQuery = "\(1), \(2), \(3), \(4), \(5), \(6), \(7), \(8), \(9), \(10)"
        let query: PGQuery = "SELECT \(0), \(ten), \(11) -- \(PGQuery("no parameter"))"
        #expect(query.sql == "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 -- no parameter")
        #expect(query.binds.count == 12)
        let again: PGQuery = "\(query)"
        #expect(again.sql == query.sql)
    }

    @Test func identifiersAreQuoted() {
        let query: PGQuery = "SELECT \(identifier: PGIdentifier("odd\"name")) FROM t"
        #expect(query.sql == "SELECT \"odd\"\"name\" FROM t")
    }

    @Test func aTextWithANULIsRefusedBeforeItIsSent() async throws {
        try await withConnection { connection in
            let error = await #expect(throws: PGError.self) { try await connection.query("SELECT \("a\0b")") }
            #expect(error?.code == .invalidParameter)
            let inArray = await #expect(throws: PGError.self) { try await connection.query("SELECT \(["a\0b"])") }
            #expect(inArray?.code == .invalidParameter)
            let inSQL = await #expect(throws: PGError.self) {
                try await connection.query(PGQuery(unsafeSQL: "SELECT 1\0; SELECT 2"))
            }
            #expect(inSQL?.code == .invalidParameter)
        }
    }

    @Test func theProtocolsLimitOfParametersIsReachedAndNotPassed() async throws {
        try await withConnection { connection in
            func query(_ count: Int) -> PGQuery {
                let places = (1...count).map { "($\($0)::smallint)" }.joined(separator: ",")
                return PGQuery(
                    unsafeSQL: "SELECT count(*) AS n FROM (VALUES \(places)) AS v",
                    binds: Array(repeating: Int16(1).pgValue, count: count)
                )
            }
            let row = try #require(try await connection.query(query(65_535)).only)
            #expect(try row.decode("n") == 65_535)
            let error = await #expect(throws: PGError.self) { try await connection.query(query(65_536)) }
            #expect(error?.code == .invalidParameter)
        }
    }

    @Test func aValueLargerThanTheSocketsBuffersGoesThereAndBack() async throws {
        try await withConnection { connection in
            let large = [UInt8](repeating: 7, count: 20_000_000)
            let row = try #require(try await connection.query("SELECT \(large) AS bytes").only)
            #expect(try row.decode("bytes", as: [UInt8].self) == large)
        }
    }

    @Test func noticesInTheMiddleOfALargeStatementDoNotBlockIt() async throws {
        try await withConnection({ $0.noticeHandler = { _ in } }) { connection in
            let body = String(repeating: "RAISE NOTICE '%', repeat('x', 1000);", count: 5_000)
            _ = try await connection.simpleQuery(unsafeSQL: "DO $$ BEGIN \(body) END $$")
        }
    }

    @Test func anErrorTellsWhereInTheSQLItIs() async throws {
        try await withConnection { connection in
            let error = await #expect(throws: PGError.self) { try await connection.query("SELECT 1 FROM nowhere") }
            #expect(error?.sqlState == "42P01")
            #expect(error?.position == 15)
        }
    }
}
