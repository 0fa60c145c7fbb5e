import Testing

@testable import Migrator

struct StatementKindTests {
    @Test(arguments: [
        "CREATE INDEX CONCURRENTLY a_b ON a (b)", "create unique index concurrently a_b on only a using btree (b)",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS \"a_b\" ON a (b)",
        "/* why */ CREATE INDEX -- now\n CONCURRENTLY a_b ON a (b);",
    ])
    func aConcurrentBuildKnowsItsIndexAndTable(_ sql: String) {
        #expect(StatementKind(sql) == .buildIndex(name: "a_b", table: .init(parts: ["a"])))
    }

    @Test func namesAreAsTheCatalogHasThem() {
        let kind = StatementKind("CREATE INDEX CONCURRENTLY \"A \"\"b\" ON Sales.\"Order\" (b)")
        #expect(kind == .buildIndex(name: "A \"b", table: .init(parts: ["sales", "Order"])))
        #expect(StatementKind.QualifiedName(parts: ["sales", "O\"r"]).quoted == "\"sales\".\"O\"\"r\"")
    }

    @Test func anIndexMayHaveNoName() {
        #expect(
            StatementKind("CREATE INDEX CONCURRENTLY ON a (b)") == .buildIndex(name: nil, table: .init(parts: ["a"])))
    }

    @Test(arguments: [
        ("DROP INDEX CONCURRENTLY IF EXISTS s.a_b", StatementKind.dropIndex(.init(parts: ["s", "a_b"]))),
        ("REINDEX INDEX CONCURRENTLY a_b", .rebuildIndexes(of: .init(parts: ["a_b"]), isConcurrent: true)),
        ("REINDEX (VERBOSE, CONCURRENTLY) TABLE a", .rebuildIndexes(of: .init(parts: ["a"]), isConcurrent: true)),
        ("REINDEX TABLE a", .rebuildIndexes(of: .init(parts: ["a"]), isConcurrent: false)),
        ("REINDEX SCHEMA CONCURRENTLY s", .rebuildIndexes(of: nil, isConcurrent: true)),
        (
            "ALTER TABLE a DETACH PARTITION b CONCURRENTLY",
            .detachPartition(.init(parts: ["b"]), from: .init(parts: ["a"]))
        ),
        ("ALTER TABLE a DETACH PARTITION b", .ordinary), ("ALTER SYSTEM SET work_mem = '1MB'", .alone),
        ("VACUUM a", .alone), ("CALL p()", .alone), ("DO $$ BEGIN COMMIT; END $$", .alone),
        ("DO $$ BEGIN PERFORM 1; END $$", .ordinary), ("CREATE DATABASE d", .alone), ("SET work_mem = '1MB'", .setting),
        ("RESET ALL", .setting), ("CREATE INDEX a_b ON a (b)", .ordinary), ("INSERT INTO a VALUES (1)", .ordinary),
    ])
    func othersAreTold(sql: String, kind: StatementKind) {
        #expect(StatementKind(sql) == kind)
    }
}
