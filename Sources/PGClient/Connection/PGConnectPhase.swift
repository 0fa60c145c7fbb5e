/// The stages of making a connection, in order.
public enum PGConnectPhase: String, Sendable {
    /// The host's name is looked up.
    case resolve
    /// The socket is being connected.
    case connect
    /// Encryption is being agreed on.
    case tls
    /// The server was asked to let us in and has not said yes yet.
    case authentication
    /// The session is being checked for `target_session_attrs`.
    case session
}
