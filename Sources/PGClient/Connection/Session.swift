import CLibPQ

/// What a server said about itself and the session, copied so that any thread may read it.
struct Session: Sendable {
    let backendPID: Int32
    let serverVersion: Int
    let parameters: [String: String]

    /// The parameters that PostgreSQL reports by itself (manual, "Asynchronous Operations").
    private static let reported = [
        "application_name", "client_encoding", "DateStyle", "default_transaction_read_only", "in_hot_standby",
        "integer_datetimes", "IntervalStyle", "is_superuser", "server_encoding", "server_version",
        "session_authorization", "standard_conforming_strings", "TimeZone", "search_path",
    ]

    init(_ connection: OpaquePointer) {
        self.backendPID = PQbackendPID(connection)
        self.serverVersion = Int(PQserverVersion(connection))
        var parameters: [String: String] = [:]
        for name in Self.reported {
            if let value = PQparameterStatus(connection, name) { parameters[name] = String(cString: value) }
        }
        self.parameters = parameters
    }
}
