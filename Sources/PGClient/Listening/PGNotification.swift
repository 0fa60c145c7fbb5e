/// What a session sent by `NOTIFY` or `pg_notify`.
public struct PGNotification: Sendable, Hashable {
    public let channel: String
    public let payload: String
    /// The server process of the session that sent it.
    public let backendPID: Int32
}
