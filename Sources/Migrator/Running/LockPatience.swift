/// How long statements queue for a lock, attempt by attempt.
///
/// Whoever comes after a statement that queues waits too, readers included. So the first attempts give up after a tenth of a second,
/// and only a file that fails again and again is given more, up to a limit.
struct LockPatience {
    private(set) var timeout: Duration
    private let maximum: Duration
    private var attempts = 0

    /// Attempts that end soon, before any is given longer.
    private static let shortAttempts = 10

    /// Uses `fixed` for every attempt, or begins at a tenth of a second and ends at `maximum`.
    init(fixed: Duration?, maximum: Duration) {
        self.maximum = fixed ?? maximum
        self.timeout = fixed ?? (maximum == .zero ? .zero : min(.milliseconds(100), maximum))
    }

    mutating func attemptFailed() {
        self.attempts += 1
        guard self.attempts >= Self.shortAttempts, self.timeout < self.maximum else { return }
        self.timeout = min(self.timeout * 1.5, self.maximum)
    }
}
