import PGClient

extension Migrator {
    /// Connects, if need be again and again, for as long as the options say or for `wait` where that is longer, and turns errors of the
    /// server into failures. Unless `isChecked` is false, a pooler in between is refused.
    func withConnection<R>(
        wait: Duration? = nil, isChecked: Bool = true, _ body: (PGConnection) async throws -> R
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
                    if isChecked { try await self.checkIsDirect(connection) }
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

    /// A pooler hands a session's lock to whoever comes next (measured: two runs both got it).
    private func checkIsDirect(_ connection: PGConnection) async throws {
        let pid: Int32 = try await connection.value("SELECT pg_backend_pid()")
        guard pid != connection.backendPID else { return }
        throw MigrationFailure(
            .failed, "there is a pooler between migrate and the server",
            hint: "Name the server itself in MIGRATE_DATABASE_URL: locks do not work through a pooler."
        )
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
