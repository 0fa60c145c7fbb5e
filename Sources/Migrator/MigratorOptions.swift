/// How a run behaves.
public struct MigratorOptions: Sendable {
    /// The last version to apply; nil applies all.
    public var target: Int64?
    /// The role that owns the ledger and whatever the migrations create; nil leaves the login's own, or the one
    /// that `ALTER ROLE … SET role` gives it.
    public var role: String?
    /// Read by migrations as `current_setting('migrate.NAME', true)`. Names are letters, digits and underscores.
    public var settings: [String: String] = [:]
    /// How long a run waits for another one to end, and how long a file is tried again that finds tables locked.
    public var lockWait: Duration = .seconds(300)
    /// How long `CREATE INDEX CONCURRENTLY` and the like wait for transactions that are older than they, which blocks nobody else.
    public var snapshotWait: Duration = .seconds(1800)
    /// The most that a statement queues for a lock, in files that do not name their `lock-timeout`. It begins with less: whoever comes
    /// after a statement that queues, waits too.
    public var lockTimeout: Duration = .seconds(2)
    /// How long a server is tried that cannot be reached or is starting.
    public var connectWait: Duration = .zero

    /// The schemas whose catalog is kept with each run; empty for those that hold anything of a role that applied a file.
    public var schemas: [String] = []

    public init() {}
}
