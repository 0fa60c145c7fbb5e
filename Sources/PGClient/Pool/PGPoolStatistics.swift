/// What a pool is doing, and has done since it was made.
public struct PGPoolStatistics: Sendable, Equatable {
    /// Connections that callers use now.
    public var leased = 0
    public var idle = 0
    /// Connections whose caller has gone while a query still ran, until it has stopped or time is up.
    public var quarantined = 0
    /// Attempts to connect that are under way.
    public var connecting = 0
    /// Callers that wait for a connection.
    public var waiting = 0

    public var connectionsMade = 0
    public var connectionsFailed = 0
    /// Connections that broke, or that were closed because they could not be used again.
    public var connectionsLost = 0
    /// Requests for a connection that were served.
    public var acquired = 0
    /// Requests that gave up: out of time, refused because the queue was full, or cancelled.
    public var timedOut = 0
    public var refused = 0
    public var cancelled = 0
}
