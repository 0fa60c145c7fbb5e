import Testing

@testable import Migrator

struct MigrationFileTests {
    private func file(_ name: String, _ sql: String = "SELECT 1;\n") throws -> MigrationFile? {
        try MigrationFile(fileName: name, bytes: Array(sql.utf8))
    }

    @Test(arguments: [
        ("0001_accounts.sql", 1, "accounts"), ("42_a-b.c.sql", 42, "a-b.c"),
        ("20261124120000_x_y.sql", 20_261_124_120_000, "x_y"),
    ])
    func theNumberBeforeTheUnderscoreIsTheVersion(name: String, version: Int64, slug: String) throws {
        let file = try self.file(name)
        #expect(file?.version == version)
        #expect(file?.slug == slug)
    }

    @Test func aNameThatBeginsWithRIsRepeatable() throws {
        let file = try self.file("R__sip_views.sql")
        #expect(file?.kind == .repeatable)
        #expect(file?.slug == "sip_views")
    }

    @Test(arguments: [
        "accounts.sql", "0001.sql", "0001_.sql", "0001-a.sql", "R_a.sql", "R__.sql", "0001_a b.sql", "0001_a.txt",
        "V1__a.sql", "٣_a.sql",
        "99999999999999999999_a.sql", "-1_a.sql",
    ])
    func otherNamesAreNone(_ name: String) throws {
        #expect(try self.file(name) == nil)
    }

    @Test func lineEndsAndByteOrderMarkDoNotChangeTheChecksum() throws {
        let plain = try self.file("1_a.sql", "SELECT 1;\nSELECT 2;\n")
        let windows = try self.file("1_a.sql", "\u{FEFF}SELECT 1;\r\nSELECT 2;\r\n")
        #expect(plain?.sha256 == windows?.sha256)
        #expect(plain?.rawSHA256 != windows?.rawSHA256)
        #expect(try self.file("1_a.sql", "SELECT 1;\nSELECT 2; \n")?.sha256 != plain?.sha256)
    }

    @Test func aFileThatIsNoUTF8IsRefusedWithItsLine() {
        let error = #expect(throws: MalformedText.self) {
            try MigrationFile(fileName: "1_a.sql", bytes: Array("SELECT 1;\n-- ".utf8) + [0xE9, 0x0A])
        }
        #expect(error?.position.line == 2)
    }

    @Test(.timeLimit(.minutes(5))) func aFileOfManyStatementsIsRead() throws {
        let sql = (1...30_000).map { "INSERT INTO a VALUES (\($0), 'some words');\n" }.joined()
        let script = try MigrationScript(#require(try self.file("1_a.sql", sql)))
        #expect(script.statements.count == 30_000)
        #expect(script.statements.last?.position == .init(line: 30_000, column: 1))
    }

    @Test func linesAreCountedAsTheServerCountsThem() throws {
        let source = try SourceText("a\r\r\nb\n\u{301}c")
        #expect((0...4).map(source.line) == ["", "a\r", "b", "\u{301}c", ""])
    }

    private func directives(_ head: String) throws -> MigrationDirectives {
        let file = try #require(try self.file("1_a.sql", head + "\nSELECT 1;"))
        return try MigrationScript(file).directives
    }

    @Test func directivesAreRead() throws {
        let directives = try self.directives(
            """
            -- migrate:lock-timeout 500ms
            -- migrate:statement-timeout 5min
            -- migrate:snapshot-wait 2h
            -- migrate:no-transaction
            -- migrate:role flexi_owner
            -- migrate:allow-out-of-order
            -- migrate:breaks-before 7
            """)
        #expect(directives.lockTimeout == .milliseconds(500))
        #expect(directives.statementTimeout == .seconds(300))
        #expect(directives.snapshotWait == .seconds(7200))
        #expect(directives.isWithoutTransaction)
        #expect(directives.role == "flexi_owner")
        #expect(directives.allowsOutOfOrder)
        #expect(directives.breaksBefore == 7)
    }

    @Test(arguments: [
        "-- migrate:lock-timeout", "-- migrate:lock-timeout 5", "-- migrate:lock-timeout -1s",
        "-- migrate:statement-timeout 9999h",
        "-- migrate:role", "-- migrate:allow-out-of-order yes", "-- migrate:breaks-before x",
        "-- migrate:breaks-before 0",
        "-- migrate:no-transaction yes", "-- migrate:snapshot-wait soon", "-- migrate:lock_timeout 5s", "-- migrate:",
        "-- migrate:role a\n-- migrate:role b",
    ])
    func directivesThatCannotBeFollowedAreRefused(_ head: String) {
        let failure = #expect(throws: MigrationFailure.self) { try self.directives(head) }
        #expect(failure?.place?.position.column == 1)
        #expect(failure?.fileName == "1_a.sql")
    }
}
