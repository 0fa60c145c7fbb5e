import Logging
import PGClient
import Synchronization
import Testing

@testable import Migrator

@Suite(.timeLimit(.minutes(10)))
struct JournaledRunTests {
    private let head = "-- migrate:no-transaction\n"
    private static let table = "CREATE TABLE a (b int); INSERT INTO a SELECT generate_series(1, 100);\n"

    private func table() throws -> MigrationFile { try migration("1_a.sql", Self.table) }

    @Test func statementsAreRunOneByOneAndWrittenToTheJournal() async throws {
        try await Scratch.with { scratch in
            let file = try migration(
                "2_b.sql", self.head + "CREATE INDEX CONCURRENTLY a_b ON a (b);\nVACUUM a;\nINSERT INTO a VALUES (0);\n"
            )
            #expect(try await scratch.up([self.table(), file]) == ["1_a.sql", "2_b.sql"])
            #expect(try await scratch.validity(of: "a_b") == ["true"])
            #expect(
                try await scratch.values(
                    "SELECT state || statements_done || statements_total FROM migrate.ledger WHERE version = 2")
                    == ["applied33"])
            #expect(
                try await scratch.values(
                    "SELECT statement FROM migrate.journal WHERE finished_at >= started_at ORDER BY 1")
                    == ["1", "2", "3"])
            #expect(try await scratch.up([self.table(), file]) == [])
        }
    }

    @Test func aFileThatFailedIsTakenUpWhereItStopped() async throws {
        try await Scratch.with { scratch in
            let start = self.head + "SET search_path = here, public;\nCREATE SCHEMA here;\nCREATE TABLE c ();\n"
            let broken = try migration("1_a.sql", start + "CREATE TABLE d (nonsense);\n")
            let failure = await #expect(throws: MigrationFailure.self) { try await scratch.up([broken]) }
            #expect(failure?.place?.position == .init(line: 5, column: 26))
            #expect(failure?.hint?.contains("before statement 4 was done") == true)
            #expect(try await scratch.values("SELECT state || statements_done FROM migrate.ledger") == ["failed3"])
            #expect(try await scratch.values("SELECT error IS NOT NULL FROM migrate.ledger") == ["true"])
            let resumed = Mutex<Int?>(nil)
            let mended = try migration("1_a.sql", start + "CREATE TABLE d (i int);\n")
            let migrator = scratch.migrator { event in
                if case .resuming(_, let statement, _) = event { resumed.withLock { $0 = statement } }
            }
            #expect(try await migrator.up([mended]) == [mended])
            #expect(resumed.withLock { $0 } == 4)
            // The setting before was said again.
            #expect(try await scratch.values("SELECT to_regclass('here.d') IS NOT NULL") == ["true"])
            #expect(
                try await scratch.values("SELECT state || coalesce(error, '-') FROM migrate.ledger") == ["applied-"])
            #expect(try await scratch.up([mended]) == [])
        }
    }

    @Test func whatWasDoneMayNotBeChangedAfterwards() async throws {
        try await Scratch.with { scratch in
            let broken = try migration("1_a.sql", self.head + "CREATE TABLE c ();\nnonsense;\n")
            await #expect(throws: MigrationFailure.self) { try await scratch.up([broken]) }
            let failure = await #expect(throws: MigrationFailure.self) {
                try await scratch.up([try migration("1_a.sql", self.head + "CREATE TABLE other ();\nSELECT 1;\n")])
            }
            #expect(failure?.kind == .drift)
            #expect(failure?.place?.position.line == 2)
            #expect(try await scratch.values("SELECT to_regclass('other')") == [nil])
        }
    }

    @Test func anIndexThatAnEarlierRunDidBuildIsNotBuiltAgain() async throws {
        try await Scratch.with { scratch in
            let files = [
                try self.table(),
                try migration(
                    "2_b.sql", self.head + "CREATE INDEX CONCURRENTLY a_b ON a (b);\nDROP INDEX CONCURRENTLY a_b;\n"),
            ]
            try await scratch.up(files)
            // As if the run had died right after each statement.
            let dies = """
                UPDATE migrate.ledger SET state = 'running', statements_done = 0, finished_at = NULL WHERE version = 2;
                UPDATE migrate.journal SET finished_at = NULL WHERE statement = 2;
                """
            try await scratch.connection.simpleQuery(unsafeSQL: dies)
            #expect(try await scratch.up(files) == ["2_b.sql"])
            #expect(try await scratch.validity(of: "a_b") == [])
            try await scratch.connection.simpleQuery(
                unsafeSQL: dies
                    + "DELETE FROM migrate.journal WHERE statement = 2; UPDATE migrate.journal SET finished_at = NULL;")
            try await scratch.connection.simpleQuery(unsafeSQL: "CREATE INDEX a_b ON a (b)")
            #expect(try await scratch.up(files) == ["2_b.sql"])
            #expect(try await scratch.validity(of: "a_b") == [])
        }
    }

    @Test(arguments: [
        "CREATE UNIQUE INDEX CONCURRENTLY a_b ON a (c)", "DROP INDEX CONCURRENTLY a_bb",
        "ALTER TABLE p DETACH PARTITION p_2 CONCURRENTLY",
    ])
    func whatTheServerHasRefusedIsRefusedAgain(_ sql: String) async throws {
        try await Scratch.with { scratch in
            let first = try migration(
                "1_a.sql",
                """
                CREATE TABLE a (b int, c int);
                CREATE INDEX a_b ON a (b);
                CREATE TABLE p (q int) PARTITION BY LIST (q);
                CREATE TABLE p_2 (q int);
                """)
            try await scratch.up([first])
            var messages: Set<String?> = []
            for _ in 1...3 {
                let failure = await #expect(throws: MigrationFailure.self) {
                    try await scratch.up([first, try migration("2_b.sql", self.head + sql)])
                }
                messages.insert(failure?.message)
            }
            #expect(messages.count == 1)
            #expect(try await scratch.values("SELECT state FROM migrate.ledger WHERE version = 2") == ["failed"])
        }
    }

    @Test func whatWasMendedIsNotTakenForTheStatementThatTheRunDiedOn() async throws {
        try await Scratch.with { scratch in
            let files = [
                try self.table(), try migration("2_b.sql", self.head + "CREATE INDEX CONCURRENTLY a_b ON a (b)"),
            ]
            try await scratch.up(files)
            try await scratch.connection.simpleQuery(
                unsafeSQL: """
                    UPDATE migrate.ledger SET state = 'running', statements_done = 0, finished_at = NULL WHERE version = 2;
                    UPDATE migrate.journal SET finished_at = NULL;
                    """)
            let mended = try migration("2_b.sql", self.head + "CREATE UNIQUE INDEX CONCURRENTLY a_b ON a (b)")
            let failure = await #expect(throws: MigrationFailure.self) { try await scratch.up([files[0], mended]) }
            #expect(failure?.sqlState == "42P07")
        }
    }

    @Test func aPartitionThatIsDetachedInPartIsDetachedByTheNextRun() async throws {
        try await Scratch.with { scratch in
            let files = [
                try migration(
                    "1_a.sql",
                    "CREATE TABLE p (q int) PARTITION BY LIST (q); CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1)"),
                try migration(
                    "2_b.sql",
                    self.head + "-- migrate:snapshot-wait 1s\nALTER TABLE p DETACH PARTITION p_1 CONCURRENTLY"),
            ]
            try await scratch.up([files[0]])
            try await scratch.withReader { reader in
                try await reader.simpleQuery(unsafeSQL: "SELECT FROM p")
                let failure = await #expect(throws: MigrationFailure.self) { try await scratch.up(files) }
                #expect(failure?.kind == .lockWait)
                let pending = try await scratch.values("SELECT inhdetachpending FROM pg_inherits")
                #expect(pending == ["true"])
            }
            #expect(try await scratch.up(files) == ["2_b.sql"])
            #expect(try await scratch.values("SELECT inhdetachpending FROM pg_inherits") == [])
        }
    }

    @Test func anIndexThatWaitsForAnOlderTransactionTooLongIsBuiltByTheNextRun() async throws {
        try await Scratch.with { scratch in
            let files = [
                try self.table(),
                try migration(
                    "2_b.sql",
                    self.head + "-- migrate:snapshot-wait 2s\nCREATE INDEX CONCURRENTLY IF NOT EXISTS a_b ON a (b);\n"),
            ]
            try await scratch.up([files[0]])
            try await scratch.withReader { reader in
                let failure = await #expect(throws: MigrationFailure.self) { try await scratch.up(files) }
                #expect(failure?.kind == .lockWait)
                #expect(failure?.detail?.contains("pid \(reader.backendPID)") == true)
                let validity = try await scratch.validity(of: "a_b")
                #expect(validity == ["false"])
            }
            let dropped = Mutex<[String]>([])
            let migrator = scratch.migrator { event in
                if case .droppingInvalidIndex(let name) = event { dropped.withLock { $0.append(name) } }
            }
            #expect(try await migrator.up(files) == [files[1]])
            #expect(dropped.withLock { $0 } == ["public.a_b"])
            #expect(try await scratch.validity(of: "a_b") == ["true"])
        }
    }

    @Test func aUniqueIndexThatFailsIsBuiltAgainWhenTheRowsWereMended() async throws {
        try await Scratch.with { scratch in
            let files = [
                try migration("1_a.sql", "CREATE TABLE a (b int); INSERT INTO a VALUES (1), (1)"),
                try migration("2_b.sql", self.head + "CREATE UNIQUE INDEX CONCURRENTLY a_b ON a (b)"),
            ]
            let failure = await #expect(throws: MigrationFailure.self) { try await scratch.up(files) }
            #expect(failure?.sqlState == "23505")
            #expect(try await scratch.validity(of: "a_b") == ["false"])
            try await scratch.connection.simpleQuery(unsafeSQL: "DELETE FROM a")
            #expect(try await scratch.up(files) == ["2_b.sql"])
            #expect(try await scratch.validity(of: "a_b") == ["true"])
        }
    }

    @Test(arguments: [
        ("SELECT 1 / 0", true), ("SET work_mem = 'nonsense'", true),
        ("CREATE UNIQUE INDEX CONCURRENTLY a_b ON a (b)", false),
        ("DO $$ BEGIN INSERT INTO a VALUES (2); COMMIT; PERFORM 1 / 0; END $$", false),
        // Nothing tells from outside that this one commits.
        ("DO $$ BEGIN CALL fill(); PERFORM 1 / 0; END $$", false),
    ])
    func onlyOfWhatWasRolledBackNothingIsSaidToBeDone(_ sql: String, _ isRolledBack: Bool) async throws {
        try await Scratch.with { scratch in
            let first = try migration(
                "1_a.sql",
                """
                CREATE TABLE a (b int);
                INSERT INTO a VALUES (1), (1);
                CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO a VALUES (2); COMMIT; END $$;
                """)
            let failure = await #expect(throws: MigrationFailure.self) {
                try await scratch.up([first, try migration("2_b.sql", self.head + sql)])
            }
            #expect(failure?.hint?.contains("nothing of it was done") == isRolledBack)
        }
    }

    @Test func twoRunsWithAConcurrentIndexDoNotWaitForEachOther() async throws {
        try await Scratch.with { scratch in
            let files = [
                try self.table(), try migration("2_b.sql", self.head + "CREATE INDEX CONCURRENTLY a_b ON a (b)"),
            ]
            let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 1...2 { group.addTask { try await scratch.up(files) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied.sorted() == ["1_a.sql", "2_b.sql"])
            #expect(try await scratch.validity(of: "a_b") == ["true"])
        }
    }

    @Test func blocksAndProceduresMayCommit() async throws {
        try await Scratch.with { scratch in
            let file = try migration(
                "1_a.sql",
                self.head
                    + """
                    CREATE TABLE a (b int);
                    CREATE PROCEDURE fill(rows int) LANGUAGE plpgsql AS $$
                    BEGIN FOR i IN 1..rows LOOP INSERT INTO a VALUES (i); COMMIT; END LOOP; END $$;
                    CALL fill(3);
                    DO $$ BEGIN INSERT INTO a VALUES (4); COMMIT; END $$;
                    -- Nothing tells from outside that this one commits.
                    DO $$ BEGIN CALL fill(2); END $$;
                    """)
            #expect(try await scratch.up([file]) == ["1_a.sql"])
            #expect(try await scratch.values("SELECT count(*) FROM a") == ["6"])
        }
    }

    @Test func theRoleCreatesAndTheLedgersOwnerWritesTheJournal() async throws {
        try await Scratch.with { scratch in
            let file = try migration(
                "1_a.sql",
                self.head
                    + "-- migrate:role \(scratch.owner)\nCREATE SCHEMA s;\nVACUUM pg_class;\nCREATE TABLE s.t ();\n")
            try await scratch.up([file])
            #expect(
                try await scratch.values("SELECT relowner::regrole FROM pg_class WHERE relname = 't'") == [
                    scratch.owner
                ])
            #expect(
                try await scratch.values("SELECT has_table_privilege('\(scratch.owner)', 'migrate.journal', 'INSERT')")
                    == ["false"])
        }
    }

    @Test func aCancelledBuildIsToldWithItsStatementAndGoesOnAfterwards() async throws {
        try await Scratch.with { scratch in
            let files = [
                try self.table(),
                try migration("2_b.sql", self.head + "SELECT 1;\nCREATE INDEX CONCURRENTLY a_b ON a (b)"),
            ]
            try await scratch.up([files[0]])
            try await scratch.withReader { _ in
                let task = Task { try await scratch.up(files) }
                try await scratch.waitUntil(
                    "SELECT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE datname = current_database() AND current_locker_pid <> 0)"
                )
                task.cancel()
                let failure = await #expect(throws: MigrationFailure.self) { try await task.value }
                #expect(failure?.kind == .interrupted)
                #expect(failure?.place?.position.line == 3)
            }
            #expect(try await scratch.up(files) == ["2_b.sql"])
            #expect(try await scratch.validity(of: "a_b") == ["true"])
        }
    }

    @Test func aLongStatementIsReportedWithWhatItWaitsFor() async throws {
        try await Scratch.with { scratch in
            let files = [
                try self.table(), try migration("2_b.sql", self.head + "CREATE INDEX CONCURRENTLY a_b ON a (b)"),
            ]
            try await scratch.up([files[0]])
            let (events, continuation) = AsyncStream<RunningStatement>.makeStream()
            let migrator = scratch.migrator { event in
                if case .running(let statement) = event { continuation.yield(statement) }
            }
            try await scratch.withReader { reader in
                async let applied = migrator.up(files)
                let running = try #require(await events.first { !$0.blockers.isEmpty })
                #expect(running.blockers.map(\.pid) == [reader.backendPID])
                #expect(running.progress?.phase.contains("waiting") == true)
                #expect(running.elapsed >= .seconds(1))
                try await reader.simpleQuery(unsafeSQL: "COMMIT")
                _ = try await applied
            }
        }
    }

    @Test(arguments: ["CREATE INDEX CONCURRENTLY a_b ON a (b)", "VACUUM a", "DROP INDEX CONCURRENTLY a_b"])
    func whatNoTransactionTakesIsRefusedBeforeAnythingIsApplied(_ sql: String) async throws {
        let file = try migration("2_b.sql", "SELECT 1;\n  \(sql);\n")
        let failure = #expect(throws: MigrationFailure.self) { try MigrationScript(file) }
        #expect(failure?.place?.position == .init(line: 2, column: 3))
        #expect(failure?.hint?.contains("-- migrate:no-transaction") == true)
    }

    @Test func aConcurrentIndexNeedsAName() async throws {
        let file = try migration("2_b.sql", self.head + "CREATE INDEX CONCURRENTLY ON a (b);\n")
        let failure = #expect(throws: MigrationFailure.self) { try MigrationScript(file) }
        #expect(failure?.place?.position.line == 2)
    }
}
