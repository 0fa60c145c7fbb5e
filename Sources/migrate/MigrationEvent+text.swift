import Migrator

extension MigrationEvent {
    /// The line for a person; nil when there is nothing worth one.
    var text: String? {
        switch self {
        case .waitingForServer(let message):
            "waiting for the server: \(message)"
        case .waitingForLock(let holder):
            "waiting for another run of migrate" + (holder.map { ": \($0)" } ?? "")
        case .applying, .undoing:
            nil
        case .resuming(let file, let statement, let total):
            "resuming \(file.fileName) at statement \(statement) of \(total)"
        case .running(let running):
            running.text
        case .droppingInvalidIndex(let name):
            "dropping the index \(name), which an attempt that was cut short has left INVALID"
        case .resolvingCommit(let file):
            "the connection was lost while \(file.fileName) was committed: looking into the ledger"
        case .undone(let file, let time):
            "undone \(file.fileName) (\(time.inMilliseconds) ms)"
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

extension MigrationEvent {
    /// What stands on a terminal until something else is to be said.
    var progress: String? {
        switch self {
        case .applying(let file): "applying \(file.fileName)"
        case .undoing(let file): "undoing \(file.fileName)"
        default: nil
        }
    }

    var colour: Terminal.Colour? {
        switch self {
        case .applied, .undone: .green
        case .waitingForServer, .waitingForLock, .retrying, .droppingInvalidIndex, .resolvingCommit: .yellow
        case .running, .notice, .resuming: .grey
        case .applying, .undoing: nil
        }
    }
}

extension RunningStatement {
    /// What takes long, how far it has come, and who is in the way.
    var text: String {
        var text =
            "running \(self.file.fileName):\(self.line) (statement \(self.number) of \(self.total)) for \(self.elapsed.components.seconds) s"
        if let progress {
            text += ": " + progress.phase + (progress.part.map { " \(Int($0 * 100)) %" } ?? "")
        }
        if !self.blockers.isEmpty {
            text += "; waits for " + self.blockers.map(\.description).joined(separator: "; ")
        }
        return text
    }
}

extension Duration {
    var inMilliseconds: Int64 {
        self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000
    }
}
