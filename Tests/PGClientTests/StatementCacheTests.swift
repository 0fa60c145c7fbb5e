import PGClient
import PGTesting
import Testing

@Suite struct StatementCacheTests {
    func prepared(_ database: some PGQuerying) async throws -> Int {
        try #require(
            try await database.query("SELECT count(*) AS n FROM pg_prepared_statements WHERE name LIKE '\\_pgclient%'")
                .only
        ).decode("n")
    }

    @Test func aStatementIsPreparedWhenItComesAgain() async throws {
        try await withConnection { connection in
            for _ in 0..<3 { try await connection.query("SELECT \(1)") }
            let count = try await self.prepared(connection)
            #expect(count == 1)
        }
    }

    @Test func theLeastRecentlyUsedMakesRoom() async throws {
        try await withConnection({ $0.statementCacheCapacity = 3 }) { connection in
            for index in 0..<10 {
                for _ in 0..<3 { try await connection.query(PGQuery(unsafeSQL: "SELECT \(index)")) }
            }
            let count = try await self.prepared(connection)
            #expect(count <= 4)
        }
    }

    /// The question who the server is, and what it may forget, have no place within a transaction.
    @Test func statementsOfTransactionsArePreparedToo() async throws {
        try await withConnection { connection in
            for _ in 0..<4 {
                try await connection.withTransaction { transaction in
                    for number in 0..<3 { try await transaction.query("SELECT \(number)") }
                }
            }
            try await connection.withTransaction { transaction in
                let count = try await self.prepared(transaction)
                #expect(count == 1)
            }
        }
    }

    @Test func theServerForgetsThoseOfTransactionsThatMadeRoom() async throws {
        try await withConnection({ $0.statementCacheCapacity = 3 }) { connection in
            for index in 0..<50 {
                try await connection.withTransaction { transaction in
                    for _ in 0..<3 { try await transaction.query(PGQuery(unsafeSQL: "SELECT \(index)")) }
                }
            }
            try await connection.withTransaction { transaction in
                let count = try await self.prepared(transaction)
                #expect((1...20).contains(count))
            }
        }
    }

    @Test func withoutACacheNothingIsPrepared() async throws {
        try await withConnection({ $0.statementCacheCapacity = 0 }) { connection in
            for _ in 0..<3 { try await connection.query("SELECT \(1)") }
            let count = try await self.prepared(connection)
            #expect(count == 0)
        }
    }

    /// A plan that the schema outgrew is made again.
    @Test func aStalePlanHealsOutsideOfATransaction() async throws {
        try await withClient { client in
            try await client.execute("CREATE TABLE t AS SELECT 1 AS a")
            for column in 0..<3 {
                for _ in 0..<3 {
                    let rows = try await client.query("SELECT * FROM t")
                    #expect(rows.columns.count == 1 + column)
                }
                try await client.query(PGQuery(unsafeSQL: "ALTER TABLE t ADD COLUMN c\(column) int"))
            }
        }
    }

    @Test func aStalePlanInATransactionIsAnErrorOnceAndGoneAfterwards() async throws {
        try await withConnection { connection in
            try await connection.execute("CREATE TABLE t AS SELECT 1 AS a")
            for _ in 0..<3 { try await connection.query("SELECT * FROM t") }
            try await connection.execute("ALTER TABLE t ADD COLUMN b int")
            let error = await #expect(throws: PGError.self) {
                try await connection.withTransaction { try await $0.query("SELECT * FROM t") }
            }
            #expect(error?.sqlState == "0A000")
            let rows = try await connection.withTransaction { try await $0.query("SELECT * FROM t") }
            #expect(rows.columns == ["a", "b"])
        }
    }

    @Test func statementsThatTheServerForgotArePreparedAgain() async throws {
        try await withConnection { connection in
            for command in ["DEALLOCATE ALL", "DISCARD ALL"] {
                for _ in 0..<3 { try await connection.query("SELECT \(1)") }
                _ = try await connection.simpleQuery(unsafeSQL: command)
                let rows = try await connection.query("SELECT \(1)")
                #expect(rows.count == 1)
            }
            // Behind the library's back.
            for _ in 0..<3 { try await connection.query("SELECT \(2)") }
            _ = try await connection.simpleQuery(unsafeSQL: "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$")
            let rows = try await connection.query("SELECT \(2)")
            #expect(rows.count == 1)
        }
    }

    @Test func aFailedStatementDoesNotSpoilTheNextOne() async throws {
        try await withConnection { connection in
            for divisor in [1, 0, 2, 0, 4] {
                let rows = try? await connection.query("SELECT 8 / \(divisor) AS n")
                let n = try rows?.only?.decode("n", as: Int.self)
                #expect(n == (divisor == 0 ? nil : 8 / divisor))
            }
        }
    }
}
