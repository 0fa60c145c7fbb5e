public import CoreMetrics

/// Where to connect, as whom, and with which limits.
public struct PGConfiguration: Sendable {
    /// A URL (`postgresql://user@host/db?sslmode=require`) or keywords (`host=… dbname=…`) as libpq reads them. What it leaves out
    /// comes from the `PG*` variables, a service file and a password file. Never printed.
    private(set) var conninfo: String

    /// Shown in `pg_stat_activity`; nil leaves the connection string's.
    public var applicationName: String?

    /// The time for one attempt at one server, from the socket to the server's welcome, and for looking all names up;
    /// `connect_timeout` of the connection string comes first. Of several servers each has this time.
    public var connectTimeout: Duration = .seconds(5)

    /// The time for each phase of an attempt, within `connectTimeout`.
    public var phaseTimeouts = PGConnectTimeouts()

    /// Called before a host's name is looked up, on the thread that waits for it: a test makes a resolver slow by it.
    package var beforeLookUp: (@Sendable (String) -> Void)?

    /// How long a connection that listens may be silent before it is asked whether it is still there.
    var heartbeat: Duration = .seconds(30)

    /// `statement_timeout` of every session; nil leaves the server's.
    public var statementTimeout: Duration? = .seconds(30)

    /// Run-time settings of every session, as `search_path` or `lock_timeout`; in effect from the first statement on.
    public var parameters: [String: String] = [:]

    /// How many statements a connection keeps prepared; the least recently used goes first. 0 prepares none, as transaction
    /// poolers need it.
    public var statementCacheCapacity = 128

    /// How long a cancelled task waits at most for the server to stop its query. After that the connection is closed.
    public var cancelBudget: Duration = .seconds(1)

    /// Whether a request to cancel a query is encrypted where the connection is. libpq does that by itself from version 17 on. An
    /// older one sends the number and the key of the session in the clear; when this is set, the client logs in once more instead and
    /// calls `pg_cancel_backend`, which takes longer, needs a free connection of the server, and does nothing behind a pooler.
    public var encryptsCancelRequests = false

    public var pool = PGPoolConfiguration()

    public var sharing = PGSharingConfiguration()

    /// Where the histograms `pgclient_acquire_duration` and `pgclient_query_duration` go, with the dimension `pool`; nil is the
    /// process's `MetricsSystem`.
    public var metricsFactory: (any MetricsFactory)?

    /// A statement that takes longer, from the connection to the result, is a warning in the log, without its values; nil logs none.
    public var slowQueryThreshold: Duration?

    /// Told of each statement, for spans of a tracing system; nil costs nothing.
    public var tracer: PGTracer?

    /// Called for each notice on the thread that does all input and output of the pool: it must return at once.
    /// nil writes notices to the logger (warnings as `warning`, the rest as `debug`).
    public var noticeHandler: (@Sendable (PGNotice) -> Void)?

    /// Nothing is read or checked before the first connection; `validate()` does it earlier.
    public init(_ conninfo: String = "") {
        self.conninfo = conninfo
    }

    /// Throws `PGError` with code `invalidConfiguration` when the connection string or the service that it names cannot be read.
    public func validate() throws(PGError) {
        _ = try ConnectParameters(self)
    }
}

extension PGConfiguration {
    /// The same settings for another connection string.
    package func with(conninfo: String) -> PGConfiguration {
        var copy = self
        copy.conninfo = conninfo
        return copy
    }
}

extension PGConfiguration: CustomStringConvertible, CustomDebugStringConvertible {
    /// Host, database and user, never the password.
    public var description: String {
        guard let parameters = try? ConnectParameters(self) else { return "PGConfiguration(malformed)" }
        return "PGConfiguration(\(parameters))"
    }

    public var debugDescription: String { self.description }
}

extension PGConfiguration: CustomReflectable {
    /// Keeps `dump` and the like from printing the connection string.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
