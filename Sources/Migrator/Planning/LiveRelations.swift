import PGClient

/// What the real database says of the tables that a plan is about.
struct LiveRelations {
    /// A transaction of the login itself, which may see more of other sessions than the role that owns the tables.
    let transaction: PGTransaction

    /// Adds sizes, and who is in the way right now.
    func complete(
        _ files: [DeploymentPlan.File], _ scripts: [MigrationScript]
    ) async throws -> [DeploymentPlan.File] {
        var files = files
        for (index, script) in scripts.enumerated() {
            files[index].locks = try await self.complete(files[index].locks)
            if script.waitsForSnapshots { files[index].waitsFor = try await self.snapshots() }
        }
        return files
    }

    private func complete(_ locks: [DeploymentPlan.Lock]) async throws -> [DeploymentPlan.Lock] {
        let sizes = try await self.sizes(locks.map(\.relation))
        let holders = try await self.holders(locks.map(\.relation))
        return locks.map { lock in
            var lock = lock
            lock.bytes = sizes[lock.relation]?.bytes
            lock.rows = sizes[lock.relation]?.rows
            lock.blockers = (holders[lock.relation] ?? []).filter { lock.mode.conflicts(with: $0.mode) }
            return lock
        }
    }

    private func sizes(_ names: [String]) async throws -> [String: (bytes: Int64, rows: Int64)] {
        try await self.transaction.query(
            """
            SELECT name, pg_total_relation_size(pg_class.oid) AS bytes, greatest(reltuples, 0)::bigint AS tuples
            FROM unnest(\(names)::text[]) AS name JOIN pg_class ON pg_class.oid = to_regclass(name)
            """
        ).reduce(into: [:]) { sizes, row in
            sizes[try row.decode("name")] = (try row.decode("bytes"), try row.decode("tuples"))
        }
    }

    private func holders(_ names: [String]) async throws -> [String: [DeploymentPlan.Session]] {
        try await self.transaction.query(
            """
            SELECT name, pg_locks.pid, mode, coalesce(usename::text, '') AS usename, coalesce(application_name, '') AS application_name,
                extract(epoch FROM clock_timestamp() - coalesce(xact_start, backend_start, clock_timestamp()))::bigint AS age
            FROM unnest(\(names)::text[]) AS name
            JOIN pg_locks ON relation = to_regclass(name) AND granted
                AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            JOIN pg_stat_activity ON pg_stat_activity.pid = pg_locks.pid
            WHERE pg_locks.pid <> pg_backend_pid()
            ORDER BY age DESC, pid
            """
        ).reduce(into: [:]) { holders, row in
            guard let mode = LockMode(catalogName: try row.decode("mode")) else { return }
            holders[try row.decode("name"), default: []].append(try DeploymentPlan.Session(row, mode: mode))
        }
    }

    /// Transactions that have a snapshot, for which building an index concurrently would wait.
    private func snapshots() async throws -> [DeploymentPlan.Session] {
        try await self.transaction.query(
            """
            SELECT pid, coalesce(usename::text, '') AS usename, coalesce(application_name, '') AS application_name,
                extract(epoch FROM clock_timestamp() - coalesce(xact_start, backend_start, clock_timestamp()))::bigint AS age
            FROM pg_stat_activity
            WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()
                AND backend_type = 'client backend'
            ORDER BY age DESC, pid
            """
        ).map { try DeploymentPlan.Session($0, mode: .accessShare) }
    }
}

extension DeploymentPlan.Session {
    fileprivate init(_ row: PGRow, mode: LockMode) throws {
        self.init(
            pid: try row.decode("pid"), user: try row.decode("usename"),
            applicationName: try row.decode("application_name"), mode: mode, age: try row.decode("age"))
    }
}
