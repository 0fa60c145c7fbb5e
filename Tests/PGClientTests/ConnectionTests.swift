import FoundationEssentials
import PGClient
import PGTesting
import Testing

@Suite struct ConnectionTests {
    @Test func aRowIsReadByNameAndByPosition() async throws {
        try await withConnection { connection in
            let rows = try await connection.query("SELECT \(42) AS id, \("Zoë") AS name, \(nil as Bool?) AS flag")
            let row = try #require(rows.only)
            #expect(try row.decode("id") == 42)
            #expect(try row.decode("name") == "Zoë")
            #expect(try row.decode("flag") == Bool?.none)
            let (id, name, flag) = try row.decode((Int, String, Bool?).self)
            #expect(id == 42 && name == "Zoë" && flag == nil)
            #expect(rows.columns == ["id", "name", "flag"])
        }
    }

    @Test func aServerErrorKeepsItsFieldsAndTheConnectionItsUse() async throws {
        try await withConnection { connection in
            _ = try await connection.simpleQuery(
                unsafeSQL: "CREATE TABLE t(id int CONSTRAINT t_id_key UNIQUE); INSERT INTO t VALUES (1)"
            )
            let error = await #expect(throws: PGError.self) {
                _ = try await connection.execute("INSERT INTO t VALUES (\(1 as Int32))")
            }
            #expect(error?.code == .server)
            #expect(error?.sqlState == "23505")
            #expect(error?.table == "t" && error?.schema == "public")
            #expect(error?.violates("t_id_key") == true)
            #expect(error?.detail == "Key (id)=(1) already exists.")
            #expect(error.map { "\($0)" } == "PGError(server)")
            #expect(error.map { String(reflecting: $0) }?.contains("INSERT INTO t VALUES ($1)") == true)
            #expect(try await connection.query("SELECT id FROM t").only?.decode("id") == 1)
        }
    }

    @Test func simpleQueryReturnsTheResultOfEveryStatement() async throws {
        try await withConnection { connection in
            let results = try await connection.simpleQuery(
                unsafeSQL: "SELECT 1 AS a; CREATE TABLE t(x int); INSERT INTO t VALUES (1),(2)")
            #expect(results.map(\.commandTag) == ["SELECT 1", "CREATE TABLE", "INSERT 0 2"])
            #expect(results[2].affectedRows == 2)
            #expect(try results[0].only?.decode("a") == 1)
        }
    }

    @Test func aPoolRunsStatementsAndTransactions() async throws {
        try await withClient { client in
            try await client.execute("CREATE TABLE t(x int)")
            try await client.withTransaction { transaction in
                try await transaction.execute("INSERT INTO t VALUES (1)")
                struct Stop: Error {}
                await #expect(throws: Stop.self) {
                    try await transaction.withTransaction { inner in
                        try await inner.execute("INSERT INTO t VALUES (2)")
                        throw Stop()
                    }
                }
            }
            #expect(try await client.query("SELECT x FROM t").map { try $0.decode("x", as: Int.self) } == [1])
        }
    }
}
