import PGClient
import PGTesting
import Testing

/// The connection is lost after COMMIT was sent.
@Suite struct CommitDoubtTests {
    static let markers = PGCommitMarkers(table: "commit_markers")

    /// A table whose every commit takes until `mayCommit` is told so, by an advisory lock.
    func prepare(_ client: PGClient) async throws {
        _ = try await client.simpleQuery(
            unsafeSQL: """
                CREATE TABLE commit_markers (id uuid PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now());
                CREATE TABLE t (x int);
                CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
                    $$BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END$$;
                CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION linger();
                """
        )
    }

    /// Runs a transaction with markers whose connection is cut while its COMMIT waits, and does `then` before the COMMIT may end.
    func loseConnection(
        _ client: PGClient, _ proxy: FaultProxy, observer: PGClient,
        then: @Sendable (PGConnection) async throws -> Void
    ) async throws -> Result<Int, any Error> {
        try await withThrowingTaskGroup(of: Result<Int, any Error>.self) { group in
            try await observer.withConnection { holder in
                try await holder.query("SELECT pg_advisory_lock(4711)")
                group.addTask {
                    do {
                        return .success(
                            try await client.withTransaction(markers: Self.markers) { transaction in
                                try await transaction.execute("INSERT INTO t VALUES (1)")
                                return 7
                            })
                    } catch {
                        return .failure(error)
                    }
                }
                try await eventually { try await holder.isRunning("COMMIT") }
                proxy.reset()
                try await then(holder)
            }
            let outcome = try await group.next()
            return try #require(outcome)
        }
    }

    func withProxy(_ body: (PGClient, FaultProxy, PGClient) async throws -> Void) async throws {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                let client = PGClient(try proxy.configuration(), logger: quietLogger)
                let observer = PGClient(database.configuration, logger: quietLogger)
                try await self.prepare(observer)
                try await body(client, proxy, observer)
            }
        }
    }

    @Test func aTransactionThatWasCommittedReturnsItsResult() async throws {
        try await self.withProxy { client, proxy, observer in
            let result = try await self.loseConnection(client, proxy, observer: observer) { holder in
                // The question waits for the transaction, which is then let go on.
                try await eventually { try await holder.isRunning("ON CONFLICT DO NOTHING") }
                try await holder.query("SELECT pg_advisory_unlock(4711)")
            }
            #expect(try result.get() == 7)
            #expect(try await observer.query("SELECT 1 FROM t").count == 1)
        }
    }

    @Test func aTransactionThatWasRolledBackIsAnErrorAndNoDoubt() async throws {
        try await self.withProxy { client, proxy, observer in
            let result = try await self.loseConnection(client, proxy, observer: observer) { holder in
                try await holder.query(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'COMMIT' AND datname = current_database()"
                )
            }
            let error = #expect(throws: PGError.self) { try result.get() }
            #expect(error?.code == .connection)
            #expect((error?.underlying as? PGError)?.code == .commitInDoubt)
            #expect(try await observer.query("SELECT 1 FROM t").isEmpty)
            #expect(try await observer.query("SELECT 1 FROM commit_markers").isEmpty)
        }
    }

    @Test func withoutAServerToAskItStaysInDoubt() async throws {
        try await self.withProxy { client, proxy, observer in
            let result = try await self.loseConnection(client, proxy, observer: observer) { _ in proxy.close() }
            let error = #expect(throws: PGError.self) { try result.get() }
            #expect(error?.code == .commitInDoubt)
        }
    }

    @Test func aFailedStatementThatWasHiddenIsToldAsWithoutMarkers() async throws {
        try await withClient { client in
            try await self.prepare(client)
            let error = await #expect(throws: PGError.self) {
                try await client.withTransaction(markers: Self.markers) { transaction in
                    _ = try? await transaction.query("SELECT 1 / 0")
                }
            }
            #expect(error?.code == .commitRolledBack)
        }
    }

    @Test func aTransactionThatOnlyReadsLeavesNoMarker() async throws {
        try await withClient { client in
            try await self.prepare(client)
            let rows = try await client.withTransaction(readOnly: true, markers: Self.markers) {
                try await $0.query("SELECT 1")
            }
            #expect(rows.count == 1)
        }
    }

    @Test func markersArePurgedByAge() async throws {
        try await withClient { client in
            try await self.prepare(client)
            try await client.withTransaction(markers: Self.markers) { try await $0.query("SELECT 1") }
            #expect(try await Self.markers.purge(olderThan: .seconds(3600), on: client) == 0)
            try await client.execute("UPDATE commit_markers SET created_at = now() - interval '2 hours'")
            #expect(try await Self.markers.purge(olderThan: .seconds(3600), on: client) == 1)
        }
    }

    /// Why the transaction's number does not decide: a crash makes the server give it to another transaction.
    @Test func theNumberOfATransactionIsReusedAfterACrashWhereAMarkerIsNot() async throws {
        try await withTestCluster(settings: ["checkpoint_timeout": "1h", "autovacuum": "off"]) { cluster in
            let configuration = PGConfiguration(cluster.conninfo)
            let before = PGClient(configuration, logger: quietLogger)
            try await self.prepare(before)
            try await before.execute("CHECKPOINT")
            let lost = try await before.withConnection { connection in
                _ = try await connection.simpleQuery(unsafeSQL: "BEGIN; SET LOCAL synchronous_commit = off")
                let row = try await connection.query("SELECT pg_current_xact_id()::text AS xid").only
                let xid = try #require(try row?.decode("xid", as: String.self))
                // A crash before anything of it has reached the disk.
                try await cluster.stop(.immediate)
                return xid
            }
            try await cluster.start()
            let after = PGClient(configuration, logger: quietLogger)
            // Somebody else's transactions.
            var reused = false
            for _ in 0..<200 where !reused {
                let row = try await after.query("INSERT INTO t VALUES (2) RETURNING pg_current_xact_id()::text AS xid")
                    .only
                reused = try row?.decode("xid") == lost
            }
            #expect(reused, "the crash lost nothing: nothing is shown")
            let answer = try await after.query("SELECT pg_xact_status(\(lost)::xid8) AS status").only
            #expect(try answer?.decode("status") == "committed", "said of a transaction that never happened")
            #expect(try await after.query("SELECT 1 FROM commit_markers").isEmpty)
        }
    }
}
