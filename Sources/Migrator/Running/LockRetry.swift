/// Tries again what was stopped by a lock, within `MigratorOptions.lockWait`.
struct LockRetry {
    let migrator: Migrator
    let script: MigrationScript
    let watch: StatementWatch

    /// Runs `attempt` with the `lock_timeout` that it is to use.
    ///
    /// Throws what `attempt` throws, or `MigrationFailure` of kind `lockWait` that names those in the way.
    func run(_ attempt: (_ lockTimeout: Duration) async throws -> Void) async throws {
        let options = self.migrator.options
        let start = ContinuousClock.now
        var patience = LockPatience(fixed: self.script.directives.lockTimeout, maximum: options.lockTimeout)
        var backoff = Backoff(from: .milliseconds(100), to: .seconds(2))
        while true {
            let timeout = patience.timeout
            let delay = timeout == .zero ? .milliseconds(500) : min(timeout / 2, .milliseconds(500))
            self.watch.attemptBegan(delay: delay)
            do {
                try await attempt(timeout)
                _ = self.watch.attemptEnded()
                return
            } catch let failure as MigrationFailure where failure.isLockConflict {
                let blockers = self.watch.attemptEnded()
                guard ContinuousClock.now - start < options.lockWait else { throw failure.lockWait(blockers) }
                patience.attemptFailed()
                let delay = backoff.next()
                self.migrator.report(.retrying(self.script.file, failure, blockers: blockers, delay: delay))
                try await Task.sleep(for: delay)
            } catch let failure as MigrationFailure where failure.kind == .lockWait {
                throw failure.lockWait(self.watch.attemptEnded())
            }
        }
    }
}

extension MigrationFailure {
    /// Whether trying again can help: `lock_not_available` and `deadlock_detected`.
    fileprivate var isLockConflict: Bool {
        self.kind == .failed && (self.sqlState == "55P03" || self.sqlState == "40P01")
    }

    fileprivate func lockWait(_ blockers: [LockHolder]) -> MigrationFailure {
        var failure = MigrationFailure(
            .lockWait, self.message, place: self.place,
            hint: self.hint ?? "Let the file try for longer with --lock-wait, or end who is in its way.")
        failure.fileName = self.fileName
        failure.sqlState = self.sqlState
        if !blockers.isEmpty { failure.detail = "blocked by " + blockers.map(\.description).joined(separator: "; ") }
        return failure
    }
}
