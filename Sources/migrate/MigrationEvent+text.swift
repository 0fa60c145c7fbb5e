import Migrator

extension MigrationEvent {
    /// The line for a person; nil when there is nothing worth one.
    var text: String? {
        switch self {
        case .waitingForServer(let message):
            "waiting for the server: \(message)"
        case .waitingForLock(let holder):
            "waiting for another run of migrate" + (holder.map { ": \($0)" } ?? "")
        case .applying:
            nil
        case .retrying(let file, let failure, let blockers, let delay):
            "retrying \(file.fileName) in \(delay.inMilliseconds) ms: \(failure.message)"
                + (blockers.isEmpty ? "" : "; blocked by " + blockers.map(\.description).joined(separator: "; "))
        case .applied(let file, let time):
            "applied \(file.fileName) (\(time.inMilliseconds) ms)"
        case .notice(let severity, let message):
            "\(severity): \(message)"
        }
    }
}

extension Duration {
    var inMilliseconds: Int64 {
        self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000
    }
}
