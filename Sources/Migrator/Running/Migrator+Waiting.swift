import PGClient

extension Migrator {
    /// Returns once the server takes connections and can be written to, for at most `limit`.
    ///
    /// Only what passes by itself is waited for: a server that is not there, is starting, recovers or has no connection free. Throws
    /// `MigrationFailure`, of kind `unreachable` when the time is over.
    public func waitForServer(within limit: Duration) async throws {
        let start = ContinuousClock.now
        var backoff = Backoff(from: .milliseconds(100), to: .seconds(2))
        while true {
            let left = limit - (ContinuousClock.now - start)
            let isStandby: Bool = try await self.withConnection(wait: left, isPrepared: false) {
                try await $0.value("SELECT pg_is_in_recovery()")
            }
            guard isStandby else { return }
            self.report(.waitingForServer("the server is a standby, or recovers"))
            guard ContinuousClock.now - start < limit else {
                throw MigrationFailure(.unreachable, "the server is still a standby, or recovers")
            }
            try await Task.sleep(for: backoff.next())
        }
    }

    /// Returns once nothing is pending, as a program needs it that is started beside the run that migrates. Reads only.
    ///
    /// Throws `MigrationFailure`, of kind `pending` when the time is over.
    public func waitUntilApplied(_ files: [MigrationFile], within limit: Duration) async throws {
        let start = ContinuousClock.now
        var backoff = Backoff(from: .milliseconds(100), to: .seconds(2))
        while true {
            let left = limit - (ContinuousClock.now - start)
            let pending = try await self.withConnection(wait: left) {
                try await self.plan(files, $0).pending
            }
            guard let first = pending.first else { return }
            guard ContinuousClock.now - start < limit else {
                throw MigrationFailure(.pending, "\(first.file.fileName) is still pending", hint: "Run `migrate up`.")
            }
            try await Task.sleep(for: backoff.next())
        }
    }
}
