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
        Split(name: "nothing", sql: "", statements: []),
        Split(name: "only comments", sql: "-- a; b\n/* c; d */ ;;\n", statements: []),
        Split(
            name: "the last one without a semicolon", sql: "SELECT 1; SELECT 2", statements: ["SELECT 1", "SELECT 2"]),
        Split(
            name: "strings", sql: "SELECT ';', 'it''s;'; SELECT 2", statements: ["SELECT ';', 'it''s;'", "SELECT 2"]),
        Split(
            name: "a backslash in a plain string", sql: #"SELECT '\'; SELECT 2"#,
            statements: [#"SELECT '\'"#, "SELECT 2"]),
        Split(
            name: "escapes", sql: #"SELECT E'\';', e'\\'; SELECT 2"#,
            statements: [#"SELECT E'\';', e'\\'"#, "SELECT 2"]),
        Split(
            name: "no escapes after a word that ends in e", sql: #"SELECT type'\'; SELECT 2"#,
            statements: [#"SELECT type'\'"#, "SELECT 2"]),
        Split(
            name: "an escape string that goes on after a comment", sql: "SELECT E'a' -- ;\n  '\\';'; SELECT 2",
            statements: ["SELECT E'a' -- ;\n  '\\';'", "SELECT 2"]),
        Split(
            name: "a plain string after another on the same line", sql: #"SELECT E'a' '\'; SELECT 2"#,
            statements: [#"SELECT E'a' '\'"#, "SELECT 2"]),
        Split(
            name: "quoted names", sql: #"SELECT ";", "a"";'"; SELECT 2"#,
            statements: [#"SELECT ";", "a"";'""#, "SELECT 2"]),
        Split(
            name: "nested comments", sql: "/* /* ; */ ; */ SELECT /* ; */ 1; SELECT 2",
            statements: ["SELECT /* ; */ 1", "SELECT 2"]),
        Split(
            name: "dollar quotes", sql: "DO $$ x; $a$ ' $$; SELECT 2", statements: ["DO $$ x; $a$ ' $$", "SELECT 2"]),
        Split(
            name: "tagged dollar quotes", sql: "DO $é1$ x; $$; $é$ $é1$; SELECT 2",
            statements: ["DO $é1$ x; $$; $é$ $é1$", "SELECT 2"]),
        Split(
            name: "a dollar sign in a name", sql: "SELECT a$b$; SELECT c$b$",
            statements: ["SELECT a$b$", "SELECT c$b$"]),
        Split(
            name: "parameters", sql: "PREPARE p AS SELECT $1; SELECT $1$1",
            statements: ["PREPARE p AS SELECT $1", "SELECT $1$1"]),
        Split(
            name: "rules", sql: "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3",
            statements: ["CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "SELECT 3"]),
        Split(
            name: "bodies of SQL functions",
            sql: """
                CREATE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN a > 0 THEN t.end END FROM t; END; SELECT 2
                """,
            statements: [
                "CREATE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN a > 0 THEN t.end END FROM t; END",
                "SELECT 2",
            ]),
        Split(
            name: "operators", sql: "SELECT 1 - -1, 6/2*3; SELECT 2", statements: ["SELECT 1 - -1, 6/2*3", "SELECT 2"]),
    ])
    func aFileIsSplitAsPsqlDoes(_ split: Split) throws {
        let source = try SourceText(split.sql)
        #expect(try SQLLexer.split(source).statements.map { source[bytes: $0.bytes] } == split.statements)
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
        Refusal(sql: "COPY t (a, b) FROM stdin;\n1\t'\n\\.\n", line: 1, column: 1),
        Refusal(sql: "COPY t TO STDOUT", line: 1, column: 1),
        Refusal(sql: "SELECT 1;\n\\i other.sql\n", line: 2, column: 1),
        Refusal(sql: "SELECT 1 \\gexec", line: 1, column: 10),
        Refusal(sql: "SELECT 'é' ||\n 'open", line: 2, column: 2),
        Refusal(sql: "DO $a$ x $b$", line: 1, column: 4),
        Refusal(sql: "/* /* */", line: 1, column: 1),
        Refusal(sql: "SELECT \"open", line: 1, column: 8),
        Refusal(sql: "SELECT 1;\n-- migrate:lock-timeout 1s\n", line: 2, column: 1),
    ])
    func whatCannotRunInOneTransactionIsRefusedWithItsPlace(_ refusal: Refusal) throws {
        let error = #expect(throws: SourceProblem.self) { try self.split(refusal.sql) }
        #expect(error?.position == .init(line: refusal.line, column: refusal.column))
    }

    @Test(arguments: [
        "SAVEPOINT a; ROLLBACK TO a", "ROLLBACK WORK TO SAVEPOINT a", "PREPARE p AS SELECT 1", "COPY t FROM '/tmp/x'",
        "SELECT 'COMMIT'", "DO $$ BEGIN NULL; END $$", "COPY t FROM PROGRAM 'stdin'", "SELECT 1 AS commit",
    ])
    func whatOnlyLooksLikeTransactionControlIsFine(_ sql: String) throws {
        #expect(try !self.split(sql).statements.isEmpty)
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
