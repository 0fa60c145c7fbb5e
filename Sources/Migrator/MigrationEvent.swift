/// What a run reports while it goes on.
public enum MigrationEvent: Sendable {
    /// The server cannot be reached yet, and is tried again.
    case waitingForServer(String)
    /// Somebody else migrates this database.
    case waitingForLock(LockHolder?)
    case applying(MigrationFile)
    /// A statement waited too long for a lock, or met a deadlock; the whole file is tried again after `delay`.
    case retrying(MigrationFile, MigrationFailure, blockers: [LockHolder], delay: Duration)
    case applied(MigrationFile, took: Duration)
    case undoing(MigrationFile)
    case undone(MigrationFile, took: Duration)
    /// A file without transaction is taken up at the statement of this number, from 1.
    case resuming(MigrationFile, statement: Int, total: Int)
    /// A statement has been running for a second, and another.
    case running(RunningStatement)
    /// An attempt that was cut short has left an index that takes time at every write and is never read.
    case droppingInvalidIndex(String)
    /// The connection was lost while the server had been told to commit: whether it did stands in the ledger.
    case resolvingCommit(MigrationFile)
    /// `RAISE NOTICE` and the like, as the server sent it.
    case notice(severity: String, message: String)
}

/// A session that holds a lock.
public struct LockHolder: Sendable, Hashable, CustomStringConvertible {
    public let pid: Int32
    public let user: String
    public let applicationName: String
    /// How old its transaction is, or the session where none is open.
    public let age: Duration

    public var description: String {
        let name = self.applicationName.isEmpty ? "" : ", \(self.applicationName)"
        return "pid \(self.pid) (\(self.user)\(name)), since \(self.age.components.seconds) s"
    }
}
