import Logging
import PGClient
import PGTesting
import Synchronization
import Testing

@testable import Migrator

@Suite(.timeLimit(.minutes(10)))
struct MigratorTests {
    @Test func threeRunsAtOnceApplyEachFileOnce() async throws {
        try await Scratch.with { scratch in
            let files = try (1...5).map {
                try migration("\($0)_t.sql", "CREATE TABLE t\($0) (); SELECT pg_sleep(0.01);")
            }
            let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 1...3 { group.addTask { try await scratch.up(files) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied.sorted() == files.map(\.fileName))
            #expect(
                try await scratch.values("SELECT version FROM migrate.ledger ORDER BY id") == ["1", "2", "3", "4", "5"])
        }
    }

    @Test func aSecondRunAppliesNothingAndTakesNoLock() async throws {
        try await Scratch.with { scratch in
            let files = [
                try migration("1_a.sql", "CREATE TABLE a ()"),
                try migration("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1"),
            ]
            #expect(try await scratch.up(files) == ["1_a.sql", "R__v.sql"])
            try await RunLock(scratch.connection).acquire(within: .zero) { _ in }
            #expect(try await scratch.up(files) == [])
        }
    }

    @Test func aRunWaitsForTheOneThatHasTheLockAndNamesIt() async throws {
        try await Scratch.with { scratch in
            let lock = RunLock(scratch.connection)
            try await lock.acquire(within: .zero) { _ in }
            let (holders, continuation) = AsyncStream<LockHolder?>.makeStream()
            let migrator = scratch.migrator { event in
                if case .waitingForLock(let holder) = event { continuation.yield(holder) }
            }
            let files = [try migration("1_a.sql", "CREATE TABLE a ()")]
            async let applied = migrator.up(files)
            var iterator = holders.makeAsyncIterator()
            let holder = try #require(await iterator.next() ?? nil)
            #expect(holder.pid == scratch.connection.backendPID)
            #expect(try await scratch.values("SELECT to_regclass('a')") == [nil])
            try await lock.release()
            #expect(try await applied == files)
        }
    }

    @Test func aRunThatWaitsTooLongSaysForWhom() async throws {
        try await Scratch.with { scratch in
            try await RunLock(scratch.connection).acquire(within: .zero) { _ in }
            var options = MigratorOptions()
            options.lockWait = .milliseconds(100)
            let failure = await #expect(throws: MigrationFailure.self) {
                try await scratch.up([try migration("1_a.sql", "CREATE TABLE a ()")], options: options)
            }
            #expect(failure?.kind == .lockWait)
            #expect(failure?.message.contains("pid \(scratch.connection.backendPID)") == true)
        }
    }

    @Test func aChangedFileIsRefusedAndNothingElseIsApplied() async throws {
        try await Scratch.with { scratch in
            try await scratch.up([try migration("1_a.sql", "CREATE TABLE a ()")])
            let failure = await #expect(throws: MigrationFailure.self) {
                try await scratch.up([
                    try migration("1_a.sql", "CREATE TABLE a (b int)"), try migration("2_b.sql", "CREATE TABLE b ()"),
                ])
            }
            #expect(failure?.kind == .drift)
            #expect(try await scratch.values("SELECT to_regclass('b')") == [nil])
        }
    }

    @Test func otherLineEndsAreNoChange() async throws {
        try await Scratch.with { scratch in
            try await scratch.up([try migration("1_a.sql", "CREATE TABLE a (\n);\n")])
            #expect(try await scratch.up([try migration("1_a.sql", "\u{FEFF}CREATE TABLE a (\r\n);\r\n")]) == [])
        }
    }

    @Test func aCommitInAFileIsRefusedBeforeAnythingIsApplied() async throws {
        try await Scratch.with { scratch in
            let files = [
                try migration("1_a.sql", "CREATE TABLE a ()"), try migration("2_b.sql", "CREATE TABLE b ();\n COMMIT;"),
            ]
            let failure = await #expect(throws: MigrationFailure.self) { try await scratch.up(files) }
            #expect(failure?.place?.position == .init(line: 2, column: 2))
            #expect(
                try await scratch.values("SELECT coalesce(to_regclass('a'), to_regclass('migrate.ledger'))") == [nil])
        }
    }

    @Test(arguments: ["DISCARD ALL", "discard /* everything */ all;"])
    func aFileThatForgetsTheSessionIsRefusedBeforeAnythingIsApplied(_ sql: String) async throws {
        let file = try migration("1_a.sql", "-- migrate:no-transaction\nDISCARD PLANS;\n" + sql)
        let failure = #expect(throws: MigrationFailure.self) { try MigrationScript(file) }
        #expect(failure?.place?.position == .init(line: 3, column: 1))
    }

    @Test(arguments: [
        "CREATE TABLE a ();\nSELECT pg_advisory_unlock_all();\nCREATE TABLE b ();\n",
        "-- migrate:no-transaction\nCREATE TABLE a ();\nSELECT pg_advisory_unlock_all();\nCREATE TABLE b ();\n",
        "-- migrate:no-transaction\nDO $$ BEGIN PERFORM pg_advisory_unlock_all(); COMMIT; END $$;\nCREATE TABLE b ();\n",
    ])
    func aFileThatGivesUpTheLockIsNotTakenAsApplied(_ sql: String) async throws {
        try await Scratch.with { scratch in
            let file = try migration("1_a.sql", sql)
            let failure = await #expect(throws: MigrationFailure.self) { try await scratch.up([file]) }
            #expect(failure?.kind == .manual)
            #expect(failure?.fileName == "1_a.sql")
            #expect(try await scratch.values("SELECT to_regclass('b')") == [nil])
            #expect(try await scratch.values("SELECT state FROM migrate.ledger WHERE state = 'applied'") == [])
        }
    }

    @Test(arguments: ["COMMIT", "COMMIT; BEGIN"])
    func aTransactionThatEndedUnnoticedIsNotWrittenToTheLedger(_ sql: String) async throws {
        try await Scratch.with { scratch in
            let file = try migration("1_a.sql", sql)
            let statement = SQLLexer.Statement(
                bytes: 0..<sql.utf8.count, position: .init(line: 1, column: 1), words: [])
            let script = MigrationScript(file, directives: try MigrationDirectives([]), statements: [statement])
            let migrator = scratch.migrator()
            let failure = await #expect(throws: MigrationFailure.self) {
                try await migrator.withConnection { connection in
                    try await RunLock(connection).acquire(within: .zero) { _ in }
                    try await migrator.prepareLedger(connection)
                    try await migrator.run(
                        script, .up, resuming: nil, connection, StatementWatch(migrator, pid: connection.backendPID))
                }
            }
            #expect(failure?.kind == .manual)
            #expect(try await scratch.values("SELECT version FROM migrate.ledger") == [])
        }
    }

    @Test func aFileThatFailsIsUndoneAndShowsWhere() async throws {
        try await Scratch.with { scratch in
            let sql = "CREATE TABLE b ();\r\n-- Größe\r\nSELECT 'é漢',\t\"ü\",\r\n       nonsense FROM b;\r\n"
            let files = [try migration("1_a.sql", "CREATE TABLE a ()"), try migration("2_b.sql", sql)]
            let failure = try #require(
                await #expect(throws: MigrationFailure.self) { try await scratch.up(files) })
            #expect(failure.place?.position == .init(line: 3, column: 14))
            #expect(failure.sqlState == "42703")
            #expect(
                failure.description.hasPrefix(
                    """
                    2_b.sql:3:14: error: column "ü" does not exist (SQLSTATE 42703)
                    SELECT 'é漢',\t"ü",
                                 \t^
                    """))
            #expect(try await scratch.values("SELECT version FROM migrate.ledger") == ["1"])
            #expect(try await scratch.values("SELECT to_regclass('b')") == [nil])
        }
    }

    @Test func anErrorWithoutAPlaceIsToldWithItsStatement() async throws {
        try await Scratch.with { scratch in
            let file = try migration("1_a.sql", "CREATE TABLE a ();\n  CREATE TABLE a ();\nSELECT 1;")
            let failure = await #expect(throws: MigrationFailure.self) { try await scratch.up([file]) }
            #expect(failure?.sqlState == "42P07")
            #expect(failure?.place?.position == .init(line: 2, column: 3))
        }
    }

    @Test func rowsThatStandInTheFileAreCopied() async throws {
        try await Scratch.with { scratch in
            let sql =
                "CREATE TABLE a (b int, c text);\nCOPY a FROM stdin;\n1\tit's; 'é\n2\t\\N\n\\.\nUPDATE a SET b = b + 1;\n"
            try await scratch.up([try migration("1_a.sql", sql)])
            #expect(try await scratch.values("SELECT concat_ws(' ', b, c) FROM a ORDER BY b") == ["2 it's; 'é", "3"])
            let broken = try migration("2_b.sql", "-- migrate:no-transaction\nCOPY a FROM stdin;\n4\tx\nfive\tx\n\\.\n")
            let failure = await #expect(throws: MigrationFailure.self) {
                try await scratch.up([migration("1_a.sql", sql), broken])
            }
            #expect(failure?.sqlState == "22P02")
            #expect(failure?.place?.position.line == 2)
            #expect(failure?.context?.contains("line 2") == true)
            #expect(try await scratch.values("SELECT count(*) FROM a") == ["2"])
        }
    }

    @Test func readersPassWhileAFileWaitsForAnotherReader() async throws {
        try await Scratch.with { scratch in
            let first = try migration("1_a.sql", "CREATE TABLE a ()")
            try await scratch.up([first])
            let (retries, continuation) = AsyncStream<Void>.makeStream()
            let migrator = scratch.migrator { event in
                if case .retrying = event { continuation.yield() }
            }
            try await scratch.withReader { longReader in
                try await longReader.simpleQuery(unsafeSQL: "SELECT FROM a")
                async let applied = migrator.up([first, migration("2_b.sql", "ALTER TABLE a ADD b int")])
                for await _ in retries { break }
                // Behind a statement that queues without end, none of these would return before the long reader ends.
                for _ in 1...20 { #expect(try await scratch.values("SELECT count(*) FROM a") == ["0"]) }
                #expect(try await scratch.values("SELECT version FROM migrate.ledger") == ["1"])
                try await longReader.simpleQuery(unsafeSQL: "COMMIT")
                #expect(try await applied.map(\.fileName) == ["2_b.sql"])
            }
        }
    }

    @Test func aDeferredConstraintIsCheckedBeforeTheLedgerIsWritten() async throws {
        try await Scratch.with { scratch in
            let sql =
                "CREATE TABLE a (b int, CONSTRAINT a_b_key UNIQUE (b) DEFERRABLE INITIALLY DEFERRED); INSERT INTO a VALUES (1), (1)"
            let failure = await #expect(throws: MigrationFailure.self) {
                try await scratch.up([try migration("1_a.sql", sql)])
            }
            #expect(failure?.sqlState == "23505")
            #expect(failure?.fileName == "1_a.sql")
        }
    }

    @Test func aRepeatableFileIsAppliedAgainWhenItHasChanged() async throws {
        try await Scratch.with { scratch in
            let old = try migration("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS a")
            let new = try migration("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 2 AS a")
            #expect(try await scratch.up([old]) == ["R__v.sql"])
            #expect(try await scratch.up([new]) == ["R__v.sql"])
            #expect(try await scratch.up([new]) == [])
            #expect(try await scratch.values("SELECT a FROM v") == ["2"])
        }
    }

    @Test func breaksBeforeIsWrittenToTheLedger() async throws {
        try await Scratch.with { scratch in
            try await scratch.up([try migration("3_a.sql", "-- migrate:breaks-before 2\nSELECT 1")])
            #expect(try await scratch.values("SELECT breaks_before FROM migrate.ledger") == ["2"])
        }
    }

    @Test func aLockedTableIsTriedAgainAndWhoHoldsItIsNamed() async throws {
        try await Scratch.with { scratch in
            let first = try migration("1_a.sql", "CREATE TABLE a ()")
            try await scratch.up([first])
            let (retries, continuation) = AsyncStream<[LockHolder]>.makeStream()
            let migrator = scratch.migrator { event in
                if case .retrying(_, _, let blockers, _) = event { continuation.yield(blockers) }
            }
            try await scratch.connection.simpleQuery(unsafeSQL: "BEGIN; SELECT * FROM a")
            let second = try migration(
                "2_b.sql", "-- migrate:lock-timeout 400ms\nCREATE TABLE b (); ALTER TABLE a ADD b int")
            async let applied = migrator.up([first, second])
            for await blockers in retries where blockers.map(\.pid) == [scratch.connection.backendPID] { break }
            try await scratch.connection.simpleQuery(unsafeSQL: "COMMIT")
            #expect(try await applied == [second])
        }
    }

    @Test func aTableThatStaysLockedEndsTheRun() async throws {
        try await Scratch.with { scratch in
            let first = try migration("1_a.sql", "CREATE TABLE a ()")
            try await scratch.up([first])
            try await scratch.connection.simpleQuery(unsafeSQL: "BEGIN; SELECT * FROM a")
            var options = MigratorOptions()
            options.lockWait = .zero
            options.lockTimeout = .milliseconds(10)
            let failure = await #expect(throws: MigrationFailure.self) {
                try await scratch.up(
                    [first, try migration("2_b.sql", "SELECT 1;\nALTER TABLE a ADD b int")], options: options)
            }
            try await scratch.connection.simpleQuery(unsafeSQL: "COMMIT")
            #expect(failure?.kind == .lockWait)
            #expect(failure?.place?.position.line == 2)
        }
    }

    /// Makes a COMMIT of the ledger wait until an advisory lock is free.
    private static let slowCommit = """
        CREATE TABLE commits ();
        CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER wait_for_test AFTER INSERT ON commits DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION wait_for_test();
        CREATE FUNCTION note_commit() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN SET CONSTRAINTS ALL DEFERRED; INSERT INTO commits DEFAULT VALUES; RETURN NULL; END $$;
        CREATE TRIGGER note_commit AFTER INSERT ON migrate.ledger FOR EACH ROW EXECUTE FUNCTION note_commit();
        """

    @Test(arguments: [true, false])
    func aCommitOfUnknownOutcomeIsLookedUpInTheLedger(isCommitted: Bool) async throws {
        try await Scratch.with { scratch in
            let first = try migration("1_a.sql", "CREATE TABLE a ()")
            try await scratch.up([first])
            try await scratch.connection.simpleQuery(unsafeSQL: Self.slowCommit + "SELECT pg_advisory_lock(1)")
            try await withFaultProxy(to: scratch.database.configuration) { proxy in
                let doubts = Mutex(0)
                let migrator = Migrator(try proxy.configuration(), logger: Scratch.logger) { event in
                    if case .resolvingCommit = event { doubts.withLock { $0 += 1 } }
                }
                // Else the COMMIT would give up after a while, as it waits for a lock.
                let files = [
                    first, try migration("2_b.sql", "-- migrate:lock-timeout 0\nCREATE TABLE b ()"),
                    try migration("3_c.sql", "CREATE TABLE c ()"),
                ]
                async let applied = migrator.up(files)
                let waiting =
                    "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SET CONSTRAINTS%' AND wait_event = 'advisory'"
                try await scratch.waitUntil("SELECT EXISTS (SELECT \(waiting))")
                if isCommitted {
                    proxy.reset()
                } else {
                    try await scratch.connection.simpleQuery(unsafeSQL: "SELECT pg_terminate_backend(pid) \(waiting)")
                }
                try await scratch.connection.simpleQuery(unsafeSQL: "SELECT pg_advisory_unlock(1)")
                #expect(try await applied.map(\.fileName) == ["2_b.sql", "3_c.sql"])
                #expect(doubts.withLock { $0 } == 1)
            }
            #expect(try await scratch.values("SELECT version FROM migrate.ledger ORDER BY id") == ["1", "2", "3"])
        }
    }

    @Test func aCancelledRunLeavesTheFileAtHandUndone() async throws {
        try await Scratch.with { scratch in
            let files = [
                try migration("1_a.sql", "CREATE TABLE a ()"),
                try migration("2_b.sql", "CREATE TABLE b (); SELECT pg_sleep(3600)"),
            ]
            let task = Task { try await scratch.up(files) }
            try await scratch.waitForSleep()
            task.cancel()
            let failure = await #expect(throws: MigrationFailure.self) { try await task.value }
            #expect(failure?.kind == .interrupted)
            #expect(try await scratch.values("SELECT version FROM migrate.ledger") == ["1"])
            #expect(try await scratch.values("SELECT to_regclass('b')") == [nil])
        }
    }

    @Test func noticesAreReported() async throws {
        try await Scratch.with { scratch in
            let notices = Mutex<[String]>([])
            let migrator = scratch.migrator { event in
                if case .notice(let severity, let message) = event {
                    notices.withLock { $0.append("\(severity): \(message)") }
                }
            }
            try await migrator.up([try migration("1_a.sql", "DO $$ BEGIN RAISE NOTICE 'hello'; END $$")])
            #expect(notices.withLock { $0 } == ["NOTICE: hello"])
        }
    }

    @Test func statusWorksWithoutALedger() async throws {
        try await Scratch.with { scratch in
            let status = try await scratch.migrator().status([try migration("1_a.sql", "CREATE TABLE a ()")])
            #expect(status.lines.map(\.state) == [.pending])
            #expect(try await scratch.values("SELECT to_regclass('migrate.ledger')") == [nil])
        }
    }

    @Test func aServerThatIsNotThereIsUnreachable() async throws {
        let migrator = Migrator(PGConfiguration("host=/nonexistent"), logger: Scratch.logger)
        let failure = await #expect(throws: MigrationFailure.self) { try await migrator.up([]) }
        #expect(failure?.kind == .unreachable)
    }

    @Test func aWrongDatabaseNameIsNotWaitedFor() async throws {
        try await Scratch.with { scratch in
            var options = MigratorOptions()
            options.connectWait = .seconds(3600)
            let conninfo = scratch.database.conninfo + " dbname=" + scratch.database.name + "_gone"
            let migrator = Migrator(PGConfiguration(conninfo), options: options, logger: Scratch.logger)
            let failure = await #expect(throws: MigrationFailure.self) { try await migrator.up([]) }
            #expect(failure?.kind == .failed)
            #expect(failure?.sqlState == "3D000")
        }
    }
}
