import PGClient

extension Migrator {
    /// Connects, if need be again and again, for as long as the options say or for `wait` where that is longer, and turns errors of the
    /// server into failures.
    ///
    /// A pooler in between is refused, and the session acts as the options' role, unless `isPrepared` is false.
    func withConnection<R>(
        wait: Duration? = nil, isPrepared: Bool = true, _ body: (PGConnection) async throws -> R
    ) async throws -> R {
        let start = ContinuousClock.now
        var backoff = Backoff(from: .milliseconds(100), to: .seconds(2))
        var nextReport = start
        let limit = max(self.options.connectWait, wait ?? .zero)
        while true {
            var isConnected = false
            do {
                return try await PGConnection.withConnection(self.configuration, logger: self.logger) { connection in
                    isConnected = true
                    if isPrepared { try await self.prepare(connection) }
                    return try await body(connection)
                }
            } catch let error as PGError {
                guard !isConnected, error.mayPass else { throw MigrationFailure(error) }
                let now = ContinuousClock.now
                guard now - start < limit else { throw MigrationFailure(error, kind: .unreachable) }
                if now >= nextReport {
                    self.report(.waitingForServer(error.message))
                    nextReport = now + .seconds(5)
                }
            }
            try await Task.sleep(for: backoff.next())
        }
    }

    private func prepare(_ connection: PGConnection) async throws {
        guard try await self.isDirect(connection) else {
            throw MigrationFailure(
                .failed, "there is a pooler between migrate and the server",
                hint: "Name the server itself in MIGRATE_DATABASE_URL: locks do not work through a pooler."
            )
        }
        // A login that does not inherit the role's rights could not even read the ledger.
        guard let role = self.options.role else { return }
        try await connection.query("SELECT pg_catalog.set_config('role', \(role), false)")
    }

    /// A pooler hands a session's lock to whoever comes next (measured: two runs both got it).
    func isDirect(_ connection: PGConnection) async throws -> Bool {
        try await connection.value("SELECT pg_backend_pid()", as: Int32.self) == connection.backendPID
    }

    func checkIsPrimary(_ connection: PGConnection) async throws {
        let isStandby: Bool = try await connection.value("SELECT pg_is_in_recovery()")
        guard isStandby else { return }
        throw MigrationFailure(
            .failed, "this server is a standby, which cannot be changed",
            hint: "Name the primary, or name both and add target_session_attrs=primary to the URL.")
    }
}

extension PGError {
    /// Whether a server that could not be connected to may be there a little later. Wrong credentials and names stay wrong.
    fileprivate var mayPass: Bool {
        switch self.sqlState {
        // cannot_connect_now, too_many_connections
        case "57P03", "53300": true
        case .some: false
        case nil: self.code != .invalidConfiguration
        }
    }
}
