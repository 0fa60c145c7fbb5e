import PGClient

/// The advisory lock that lets one run at a time change a database. The session holds it, so it goes with the connection.
///
/// It is asked for again and again: a session that waited for it inside a statement would hold a snapshot, for which
/// `CREATE INDEX CONCURRENTLY` of the run that has the lock would wait in turn.
struct RunLock {
    /// "migr" in ASCII; advisory locks are counted per database.
    static let namespace: Int32 = 0x6D69_6772
    static let key: Int32 = 1

    private let db: PGConnection

    init(_ db: PGConnection) {
        self.db = db
    }

    /// Throws `MigrationFailure` of kind `lockWait` when another run held the lock for all of `limit`.
    func acquire(within limit: Duration, _ report: @Sendable (MigrationEvent) -> Void) async throws {
        let start = ContinuousClock.now
        var backoff = Backoff(from: .milliseconds(50), to: .seconds(1))
        var nextReport = start
        while true {
            let isMine: Bool = try await self.db.value("SELECT pg_try_advisory_lock(\(Self.namespace), \(Self.key))")
            if isMine { return }
            let holder = try await self.holder()
            let now = ContinuousClock.now
            guard now - start < limit else {
                throw MigrationFailure(
                    .lockWait,
                    "another run of migrate holds this database's lock" + (holder.map { ": \($0)" } ?? ""),
                    hint: "Wait for it to end, or give this one more time with --lock-wait."
                )
            }
            if now >= nextReport {
                report(.waitingForLock(holder))
                nextReport = now + .seconds(15)
            }
            try await Task.sleep(for: min(backoff.next(), limit))
        }
    }

    /// Throws `MigrationFailure` of kind `manual` when the session did not hold it any more.
    func release() async throws {
        let wasMine: Bool = try await self.db.value("SELECT pg_advisory_unlock(\(Self.namespace), \(Self.key))")
        guard wasMine else { throw Self.lost }
    }

    /// What the server answers to `check` when the session does not hold the lock any more.
    static let lostState = "MG001"

    /// A statement that fails when a file has given the lock up. It stands before what writes the ledger.
    static let check: SQLText = """
        DO $migrate$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM pg_catalog.pg_locks
                WHERE locktype = 'advisory' AND granted AND pid = pg_catalog.pg_backend_pid() AND objsubid = 2
                    AND classid = \(Int64(namespace))::oid AND objid = \(Int64(key))::oid
            ) THEN
                RAISE EXCEPTION 'the lock was given up' USING ERRCODE = \(lostState);
            END IF;
        END
        $migrate$;

        """

    static let lost = MigrationFailure(
        .manual, "the lock that keeps other runs away was given up",
        hint:
            "Another run may have been at work. See what was left, and take pg_advisory_unlock_all() or the like out of the file."
    )

    private func holder() async throws -> LockHolder? { try await Self.holder(self.db) }

    /// The session that migrates now; nil when none does.
    static func holder(_ db: any PGQuerying) async throws -> LockHolder? {
        try await db.query(
            """
            SELECT holder.pid, coalesce(holder.usename::text, '') AS usename, coalesce(holder.application_name, '') AS application_name,
                extract(epoch FROM clock_timestamp() - coalesce(holder.xact_start, holder.backend_start, clock_timestamp()))::float8
                    AS age
            FROM pg_locks AS lock
            JOIN pg_stat_activity AS holder ON holder.pid = lock.pid
            WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 2
                AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND lock.classid = \(Self.namespace)::int::oid AND lock.objid = \(Self.key)::int::oid
            """
        ).first.map(LockHolder.init)
    }
}

extension LockHolder {
    init(_ row: PGRow) throws {
        self.pid = try row.decode("pid")
        self.user = try row.decode("usename")
        self.applicationName = try row.decode("application_name")
        self.age = .seconds(try row.decode("age", as: Double.self))
    }
}
