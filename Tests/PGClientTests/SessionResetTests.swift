import PGTesting
import Testing

@testable import PGClient

/// The pool never returns a connection with temporary tables, settings, LISTEN, advisory locks or a role of somebody before.
@Suite struct SessionResetTests {
    /// What one caller leaves behind, and a query that has no row when the next one finds nothing of it.
    static let remains: [(leave: [PGQuery], find: PGQuery)] = [
        (["SET work_mem = '1234kB'"], "SELECT 1 WHERE current_setting('work_mem') = '1234kB'"),
        (["SELECT set_config('work_mem', '1234kB', false)"], "SELECT 1 WHERE current_setting('work_mem') = '1234kB'"),
        (["SET ROLE pg_read_all_data"], "SELECT 1 WHERE current_user = 'pg_read_all_data'"),
        (
            ["SET SESSION AUTHORIZATION pg_read_all_data"], "SELECT 1 WHERE session_user = 'pg_read_all_data'"
        ),
        (
            ["CREATE TEMP TABLE remains (x int)"], "SELECT 1 FROM pg_class WHERE relname = 'remains'"
        ),
        (["LISTEN remains"], "SELECT pg_listening_channels()"),
        (
            ["SELECT pg_advisory_lock(77)"],
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        ),
        (
            ["DO $$BEGIN PERFORM pg_try_advisory_lock_shared(77); END$$"],
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        ),
        (["CREATE TABLE pg_temp.remains (x int)"], "SELECT 1 FROM pg_class WHERE relname = 'remains'"),
        (["PREPARE remains AS SELECT 1"], "SELECT 1 FROM pg_prepared_statements WHERE name = 'remains'"),
        (["DECLARE remains CURSOR WITH HOLD FOR SELECT 1"], "SELECT 1 FROM pg_cursors WHERE name = 'remains'"),
        (["BEGIN", "SELECT 1/0"], "SELECT 1 WHERE pg_current_xact_id_if_assigned() IS NOT NULL"),
        (["BEGIN", "SET work_mem = '1234kB'"], "SELECT 1 WHERE current_setting('work_mem') = '1234kB'"),
    ]

    @Test(arguments: remains.indices)
    func whatOneCallerLeavesBehindTheNextDoesNotFind(index: Int) async throws {
        let (statements, find) = Self.remains[index]
        try await withClient({ ($0.pool.maximum, $0.parameters) = (1, ["lock_timeout": "7s"]) }) { client in
            for round in 0..<3 {
                // By a lease, and each statement alone; the third time it is a prepared statement.
                let pid = try await client.withConnection { connection in
                    for statement in statements { _ = try? await connection.query(statement) }
                    return connection.backendPID
                }
                try await client.withConnection { connection in
                    #expect(connection.backendPID == pid, "round \(round)")
                    let found = try await connection.query(find)
                    #expect(found.isEmpty, "round \(round)")
                    // What the pool itself has set stays.
                    let timeout = try await connection.query("SELECT current_setting('lock_timeout') AS t")
                    #expect(try timeout.only?.decode("t") == "7s")
                }
            }
        }
    }

    @Test(
        arguments: [
            ("SELECT threshold, holder, on_hold FROM attempts", []),
            ("SELECT contemporary, temperature, temp2, my_temp FROM t", []),
            ("SELECT pg_advisory_xact_lock(1), my_set_config('a'), größe_temp, tempé", []),
            ("", []),
            ("Create TEMP TABLE t (x int)", .temporaryTables),
            ("CREATE TABLE \"pg_temp\".t (x int)", .temporaryTables),
            ("SELECT 1 INTO TEMPORARY t", .temporaryTables),
            ("DO 'BEGIN EXECUTE ''CREATE TEMP TABLE t ()''; END'", .temporaryTables),
            ("SELECT pg_catalog.PG_Advisory_Lock(1)", .advisoryLocks),
            ("SELECT pg_try_advisory_lock(1),pg_advisory_lock_shared(2)", .advisoryLocks),
            ("DECLARE c CURSOR WITH HOLD FOR SELECT set_config('a.b', 'c', false)", [.cursors, .settings]),
            ("SELECT/**/set_config($1,$2,false)/*temp*/", [.settings, .temporaryTables]),
            ("DECLARE c CURSOR WITH hold", .cursors),
        ] as [(String, SessionDirt)])
    func onlyWholeWordsMakeASessionDirty(sql: String, dirt: SessionDirt) {
        #expect(SessionDirt(sql: sql) == dirt)
    }

    @Test func aSettingIsGoneFromWhatTheConnectionReports() async throws {
        try await withClient({ $0.pool.maximum = 1 }) { client in
            let usual = try await client.withConnection { $0.parameterStatus("TimeZone") }
            _ = try await client.simpleQuery(unsafeSQL: "SET TimeZone = 'Asia/Tokyo'")
            let next = try await client.withConnection { $0.parameterStatus("TimeZone") }
            #expect(next == usual)
        }
    }

    /// The first of several statements says nothing of the others.
    @Test func aSettingBehindALocalOneIsGone() async throws {
        try await withClient({ $0.pool.maximum = 1 }) { client in
            for text in ["SET LOCAL lock_timeout = '1s'; SET search_path = evil", "SET search_path = evil;"] {
                _ = try await client.simpleQuery(unsafeSQL: text)
                let path = try await client.query("SHOW search_path").only?.decode(String.self)
                #expect(path != "evil", "\(text)")
            }
        }
    }

    @Test func nothingIsSentForACallerThatLeavesNothingBehind() async throws {
        try await withTestDatabase { database in
            var configuration = database.configuration
            configuration.pool.maximum = 1
            let client = PGClient(configuration, logger: quietLogger)
            let observer = PGClient(database.configuration, logger: quietLogger)
            let pid = try await client.withConnection { connection in
                try await connection.withTransaction { transaction in
                    try await transaction.query("SET LOCAL work_mem = '1234kB'")
                    try await transaction.query("SELECT pg_advisory_xact_lock(78)")
                }
                try await connection.query("SELECT 'the last one' AS threshold_of_attempts")
                return connection.backendPID
            }
            let last = try await observer.query("SELECT query, state FROM pg_stat_activity WHERE pid = \(pid)").only
            #expect(try last?.decode("query") == "SELECT 'the last one' AS threshold_of_attempts")
        }
    }
}
