/// A statement that is about to be sent, for a tracer.
public struct PGTracedStatement: Sendable {
    /// The SQL without literals and comments, at most about 200 characters. Never a value.
    public let fingerprint: String
}

/// How a traced statement ended.
public struct PGTracedOutcome: Sendable {
    /// How long it waited for a connection; zero on one that its caller had already.
    public let acquireTime: Duration
    /// From the connection to the result.
    public let queryTime: Duration
    /// What the caller's task is thrown; nil when it succeeded.
    public let error: (any Error)?
}

/// Called in the caller's task before a statement is handed over, so that the task's local values are at hand; what it returns is called
/// when the statement has ended, in the same task.
public typealias PGTracer = @Sendable (PGTracedStatement) -> (@Sendable (PGTracedOutcome) -> Void)
