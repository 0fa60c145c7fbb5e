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

/// How long each phase of making a connection may take. What comes first, this or the whole attempt's limit, is named by the error.
public struct PGConnectTimeouts: Sendable {
    public var resolve: Duration = .seconds(5)
    public var connect: Duration = .seconds(3)
    public var tls: Duration = .seconds(3)
    public var authentication: Duration = .seconds(5)
    public var session: Duration = .seconds(3)

    public init() {}

    subscript(phase: PGConnectPhase) -> Duration {
        switch phase {
        case .resolve: self.resolve
        case .connect: self.connect
        case .tls: self.tls
        case .authentication: self.authentication
        case .session: self.session
        }
    }
}
