import Glibc

/// The size of a pool and its patience.
public struct PGPoolConfiguration: Sendable {
    /// What the pool is called in metrics.
    public var name = "default"

    /// Connections kept open when there is nothing to do, from `PGClient.run()` on.
    public var minimum = 1

    /// Connections at most.
    public var maximum = max(4, 2 * max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    /// How long a caller waits for a connection, the making of one included.
    public var acquireTimeout: Duration = .seconds(5)

    /// Callers that may wait at a time; one more is refused at once with `poolSaturated`. Those for whom a connection can still be
    /// made do not count. How long each waits is bounded by `acquireTimeout`.
    public var queueLimit = 1000

    /// The age at which a connection is replaced, once it is free.
    public var maximumLifetime: Duration = .seconds(30 * 60)

    /// The part of `maximumLifetime` by which it is shortened at random, so that not all end together. 0 to 1.
    public var lifetimeJitter = 0.1

    /// How long a connection above `minimum` may be idle.
    public var maximumIdle: Duration = .seconds(5 * 60)

    /// A connection that was idle for this long is asked for an answer before somebody gets it. The loop sees by itself when the server closes
    /// one; this is for servers and lines that fall silent.
    public var pingAfterIdle: Duration = .seconds(5)

    /// How long that answer may take. After that the connection is replaced, and the caller keeps waiting.
    public var pingTimeout: Duration = .seconds(1)

    /// How many connections may be in quarantine without taking places of the pool: those whose callers were cancelled while the server
    /// did not stop their queries in time.
    public var maximumQuarantined = 4

    /// How long such a connection is kept while its server is asked again and again to stop, before it is closed.
    public var quarantineTimeout: Duration = .seconds(10)

    /// The pause after a failed attempt to connect, doubled with each further one up to `maximumBackoff`; half of it is random.
    public var initialBackoff: Duration = .milliseconds(50)
    public var maximumBackoff: Duration = .seconds(1)

    /// When there is no connection and none could be made for this long, callers that would have to wait for one fail at once.
    public var failFastAfter: Duration = .seconds(10)

    /// How long `PGClient.run()` waits at its end for connections that are still in use.
    public var drainTimeout: Duration = .seconds(10)

    public init() {}
}
