import Testing

@testable import Migrator

struct SQLLexerTests {
    struct Split: Sendable, CustomTestStringConvertible {
        let name: String
        let sql: String
        let statements: [String]
        var testDescription: String { self.name }
    }

    private func split(_ sql: String) throws -> SQLLexer.Output {
        try SQLLexer.split(SourceText(sql))
    }

    @Test(arguments: [
        Split(
            name: "the last one without a semicolon", sql: "SELECT 1; SELECT 2 \n",
            statements: ["SELECT 1;", "SELECT 2"]),
        Split(
            name: "an escape string that goes on after a comment", sql: "SELECT E'a' -- ;\n  '\\';'; SELECT 2;",
            statements: ["SELECT E'a' -- ;\n  '\\';';", "SELECT 2;"]),
        Split(
            name: "columns and labels that are called end",
            sql: """
                CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN t.end END AS end FROM t; END; SELECT 2;
                """,
            statements: [
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN t.end END AS end FROM t; END;",
                "SELECT 2;",
            ]),
    ])
    func whatPsqlReadsOtherwiseThanTheServerIsSplitAsTheServerReadsIt(_ split: Split) throws {
        let source = try SourceText(split.sql)
        #expect(try SQLLexer.split(source).statements.map { source[bytes: $0.bytes] } == split.statements)
    }

    @Test func theDataOfCopyBelongToIt() throws {
        let source = try SourceText(
            "COPY a FROM stdin; COPY b FROM stdin; SELECT 1;\n1;\n\n\\.\n\\.\nSELECT 2;\nCOPY c FROM stdin;\nx")
        let statements = try SQLLexer.split(source).statements
        #expect(
            statements.map { source[bytes: $0.bytes] }
                == ["COPY a FROM stdin;", "COPY b FROM stdin;", "SELECT 1;", "SELECT 2;", "COPY c FROM stdin;"])
        #expect(statements.map { $0.copyData.map { source[bytes: $0] } } == ["1;\n\n", "", nil, nil, "x"])
    }

    @Test func aLargeFileIsSplitInOneGo() throws {
        let count = 20_000
        let statements = try self.split(String(repeating: "INSERT INTO t VALUES ('é;');\n", count: count)).statements
        #expect(statements.map(\.position.line) == Array(1...count))
    }

    @Test func statementsKnowTheirPlace() throws {
        let statements = try self.split("-- é\r\nSELECT 'é'; SELECT 2;\r\n\r\n  SELECT 3").statements
        #expect(
            statements.map(\.position) == [
                .init(line: 2, column: 1), .init(line: 2, column: 13), .init(line: 4, column: 3),
            ])
    }

    struct Refusal: Sendable {
        let sql: String
        let line: Int
        let column: Int
    }

    @Test(arguments: [
        Refusal(sql: "SELECT 1;\n  BEGIN; SELECT 2", line: 2, column: 3),
        Refusal(sql: "commit", line: 1, column: 1),
        Refusal(sql: "SELECT 1; /* x */ END;", line: 1, column: 19),
        Refusal(sql: "ABORT;", line: 1, column: 1),
        Refusal(sql: "START TRANSACTION;", line: 1, column: 1),
        Refusal(sql: "ROLLBACK;", line: 1, column: 1),
        Refusal(sql: "ROLLBACK WORK", line: 1, column: 1),
        Refusal(sql: "PREPARE TRANSACTION 'x'", line: 1, column: 1),
        Refusal(sql: "COMMIT PREPARED 'x'", line: 1, column: 1),
        Refusal(sql: "COPY t TO STDOUT", line: 1, column: 1),
        Refusal(sql: "SELECT 1;\n\\i other.sql\n", line: 2, column: 1),
        Refusal(sql: "SELECT 1 \\gexec", line: 1, column: 10),
        Refusal(sql: "SELECT 'é' ||\n 'open", line: 2, column: 2),
        Refusal(sql: "DO $a$ x $b$", line: 1, column: 4),
        Refusal(sql: "/* /* */", line: 1, column: 1),
        Refusal(sql: "SELECT \"open", line: 1, column: 8),
        Refusal(sql: "SELECT 1;\n-- migrate:lock-timeout 1s\n", line: 2, column: 1),
        Refusal(sql: "SELECT 1\n -- migrate:lock-timeout 1s\n;", line: 2, column: 2),
        Refusal(sql: "SELECT 1\\; SELECT 2", line: 1, column: 9),
        Refusal(sql: "COPY t FROM stdin; SELECT\n1\n\\.\n", line: 1, column: 26),
    ])
    func whatCannotRunInOneTransactionIsRefusedWithItsPlace(_ refusal: Refusal) throws {
        let failure = #expect(throws: MigrationFailure.self) {
            try MigrationScript(migration("1_a.sql", refusal.sql))
        }
        #expect(failure?.place?.position == .init(line: refusal.line, column: refusal.column))
    }

    @Test(arguments: [
        "SAVEPOINT a; ROLLBACK TO a", "ROLLBACK WORK TO SAVEPOINT a", "PREPARE p AS SELECT 1", "COPY t FROM '/tmp/x'",
        "SELECT 'COMMIT'", "DO $$ BEGIN NULL; END $$", "COPY t FROM PROGRAM 'stdin'", "SELECT 1 AS commit",
    ])
    func whatOnlyLooksLikeTransactionControlIsFine(_ sql: String) throws {
        #expect(try !MigrationScript(migration("1_a.sql", sql)).statements.isEmpty)
    }

    @Test func directivesStandAtTheHeadAmongOtherComments() throws {
        let directives = try self.split(
            "-- About.\n\n/* more */\n--migrate:lock-timeout   2s \r\n-- migrate:allow-out-of-order\nSELECT 1"
        ).directives
        #expect(directives.map(\.name) == ["lock-timeout", "allow-out-of-order"])
        #expect(directives.map(\.value) == ["2s", ""])
        #expect(directives.map(\.position.line) == [4, 5])
    }
}
