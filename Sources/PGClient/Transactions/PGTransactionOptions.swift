/// How much concurrent transactions see of each other (PostgreSQL manual, "Transaction Isolation").
public enum PGIsolation: String, Sendable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}

/// The modes of a transaction, as its BEGIN names them. What is nil or false is left to the session's defaults.
struct TransactionModes {
    var isolation: PGIsolation?
    var readOnly: Bool
    var deferrable: Bool

    var begin: String {
        var modes: [String] = []
        if let isolation { modes.append("ISOLATION LEVEL " + isolation.rawValue) }
        if self.readOnly { modes.append("READ ONLY") }
        if self.deferrable { modes.append("DEFERRABLE") }
        return modes.isEmpty ? "BEGIN" : "BEGIN " + modes.joined(separator: ", ")
    }
}

/// When a transaction that failed is run again from its beginning.
///
/// Only what the server rolled back for the sake of others is: serialization failures (40001), deadlocks (40P01), and plans that a change of
/// the schema has made stale. The closure runs once for each attempt, so what it does outside of the database must bear that.
public struct PGRetry: Sendable {
    /// Attempts in all, the first among them.
    public var maximumAttempts: Int
    /// No attempt begins later than this after the first one.
    public var deadline: Duration

    /// `max` attempts in all, none of them later than `deadline` after the first, with a pause of random length between them: up to
    /// 10 ms at first, doubled each time up to a second.
    public static func serialization(max: Int = 5, deadline: Duration = .seconds(10)) -> PGRetry {
        PGRetry(maximumAttempts: max, deadline: deadline)
    }

    /// Runs `attempt` until it succeeds, fails for another reason, or there is no attempt left; then its error is thrown.
    static func run<R>(_ policy: PGRetry?, _ attempt: () async throws -> R) async throws -> R {
        guard let policy else { return try await attempt() }
        let start = MonotonicInstant.now
        var failures = 0
        while true {
            do {
                return try await attempt()
            } catch let error as PGError where error.isRetryable {
                failures += 1
                let pause = Duration.milliseconds(10 << min(failures - 1, 7)) * Double.random(in: 0...1)
                let isLate = MonotonicInstant.now + pause - start > policy.deadline
                guard failures < policy.maximumAttempts, !isLate else { throw error }
                try await Task.sleep(for: pause)
            }
        }
    }
}

extension PGError {
    /// Whether the same transaction, run again, may well succeed: the server gave it up for the sake of another one (40001, 40P01), or a
    /// plan that it had kept no longer fits the schema.
    public var isRetryable: Bool {
        switch self.sqlState {
        case "40001", "40P01", "26000": true
        case "0A000": self.routine == "RevalidateCachedQuery"
        default: false
        }
    }
}
