/// What went wrong with a connection, a query, a transaction or the pool.
///
/// `description` names only the code and may be shown to anybody. `debugDescription` holds everything that is known, the
/// server's message and detail among it, which may quote stored values: it is for the log. Neither holds a parameter
/// or a password.
public struct PGError: Error, Sendable {
    /// What kind of failure it is. The set is open: a `switch` over it needs a `default`.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        private init(_ name: String) { self.description = name }

        /// The server refused the statement; `sqlState` and the other fields say why.
        public static let server = Code("server")
        /// The connection could not be made, or was lost; `sqlState` is set when the server said why it ended it. Nothing is
        /// known about a statement that was running.
        public static let connection = Code("connection")
        /// The connection string or another setting cannot be used.
        public static let invalidConfiguration = Code("invalidConfiguration")
        /// The time for connecting ran out; `phase` is where.
        public static func connectTimeout(_ phase: PGConnectPhase) -> Code { Code("connectTimeout(\(phase.rawValue))") }
        /// No connection became free in time; the message lists who holds them.
        public static let acquireTimeout = Code("acquireTimeout")
        /// As many callers as the pool allows wait already. A server should answer 503.
        public static let poolSaturated = Code("poolSaturated")
        /// The pool was shut down, or is being shut down.
        public static let poolClosed = Code("poolClosed")
        /// The connection was lost after COMMIT was sent: the transaction may or may not have happened.
        public static let commitInDoubt = Code("commitInDoubt")
        /// The server answered COMMIT with ROLLBACK, because a statement of the transaction had failed before.
        public static let commitRolledBack = Code("commitRolledBack")
        /// A parameter, or their number, cannot be sent. Nothing was sent.
        public static let invalidParameter = Code("invalidParameter")
        /// A value of the result cannot be read as the type that was asked for; `column` names it.
        public static let decoding = Code("decoding")
        /// The connection or transaction is used where it must not be: after its scope ended, or while an inner
        /// transaction is open.
        public static let invalidState = Code("invalidState")
        /// An earlier statement of the same pipeline and transaction failed, so that this one did not run.
        public static let skipped = Code("skipped")
        /// It needs a session of its own, as LISTEN does, and a pooler may give each transaction that of another server.
        public static let behindPooler = Code("behindPooler")
        /// What is behind the connection string cannot be shared; nobody outside is told.
        static let notShareable = Code("notShareable")
        /// The statement asks for something that this library does not do, such as COPY.
        public static let unsupported = Code("unsupported")
    }

    /// The server's report, field by field (PostgreSQL manual, "Error and Notice Message Fields").
    struct Fields: Sendable {
        var sqlState: String?
        var severity: String?
        var detail: String?
        var hint: String?
        var position: Int?
        var internalPosition: Int?
        var internalQuery: String?
        var context: String?
        var schema: String?
        var table: String?
        var column: String?
        var dataType: String?
        var constraint: String?
        var routine: String?
    }

    /// Everything but the code lives behind one reference, since errors are passed by value through many layers.
    private final class Storage: Sendable {
        let message: String
        let fields: Fields
        let query: String?
        let underlying: (any Error)?

        init(message: String, fields: Fields, query: String?, underlying: (any Error)?) {
            self.message = message
            self.fields = fields
            self.query = query
            self.underlying = underlying
        }
    }

    public let code: Code
    private let storage: Storage

    init(_ code: Code, message: String, fields: Fields = Fields(), query: String? = nil, underlying: (any Error)? = nil)
    {
        self.code = code
        self.storage = Storage(message: message, fields: fields, query: query, underlying: underlying)
    }
}

extension PGError {
    /// The server's primary message, or this library's own. For the log: it may quote stored values.
    public var message: String { self.storage.message }
    /// The five characters of the SQLSTATE; nil when the error did not come from the server.
    public var sqlState: String? { self.storage.fields.sqlState }
    /// `ERROR`, `FATAL` or `PANIC`, never translated.
    public var severity: String? { self.storage.fields.severity }
    public var detail: String? { self.storage.fields.detail }
    public var hint: String? { self.storage.fields.hint }
    /// Where in the SQL the error is, in characters from 1.
    public var position: Int? { self.storage.fields.position }
    /// As `position`, within `internalQuery`.
    public var internalPosition: Int? { self.storage.fields.internalPosition }
    /// The statement that the server generated by itself, as in a PL/pgSQL function.
    public var internalQuery: String? { self.storage.fields.internalQuery }
    /// The server's call stack.
    public var context: String? { self.storage.fields.context }
    public var schema: String? { self.storage.fields.schema }
    public var table: String? { self.storage.fields.table }
    /// The table's column in a server error, the result's column in a decoding error.
    public var column: String? { self.storage.fields.column }
    public var dataType: String? { self.storage.fields.dataType }
    public var constraint: String? { self.storage.fields.constraint }
    /// The function of the server's source code that reported the error.
    public var routine: String? { self.storage.fields.routine }
    /// The SQL that failed, with placeholders.
    public var query: String? { self.storage.query }
    /// The error behind this one, as the last failed connection attempt behind an `acquireTimeout`.
    public var underlying: (any Error)? { self.storage.underlying }

    /// Whether the statement failed because it would have broken the named constraint (SQLSTATE class 23).
    public func violates(_ constraint: String) -> Bool {
        self.constraint == constraint && self.sqlState?.hasPrefix("23") == true
    }

    static var poolClosed: PGError { PGError(.poolClosed, message: "the pool is shut down") }

    func with(query: String) -> PGError {
        guard self.query == nil else { return self }
        return PGError(
            self.code, message: self.message, fields: self.storage.fields, query: query, underlying: self.underlying)
    }

    func with(message: String) -> PGError {
        PGError(
            self.code, message: message, fields: self.storage.fields, query: self.query, underlying: self.underlying)
    }

    /// Whether connecting again with the same settings is bound to fail: bad credentials, no such database, bad parameters.
    var isPermanent: Bool {
        if [.invalidConfiguration, .notShareable, .behindPooler].contains(self.code) { return true }
        guard let state = self.sqlState else { return false }
        return state == "3D000" || ["28", "22", "42"].contains(state.prefix(2))
    }

    /// The statement did not run: the server wants it to be prepared again.
    var isStalePlan: Bool {
        self.sqlState == "26000" || (self.sqlState == "0A000" && self.routine == "RevalidateCachedQuery")
    }

    /// FATAL and PANIC end the session.
    var endsSession: Bool {
        self.severity == "FATAL" || self.severity == "PANIC"
    }
}

extension PGError: CustomStringConvertible, CustomDebugStringConvertible {
    public var description: String { "PGError(\(self.code))" }

    public var debugDescription: String {
        let fields: [(String, Any?)] = [
            ("sqlState", self.sqlState), ("severity", self.severity), ("message", self.message),
            ("detail", self.detail),
            ("hint", self.hint), ("position", self.position), ("internalPosition", self.internalPosition),
            ("internalQuery", self.internalQuery), ("context", self.context), ("schema", self.schema),
            ("table", self.table), ("column", self.column), ("dataType", self.dataType),
            ("constraint", self.constraint), ("routine", self.routine), ("query", self.query),
        ]
        var text = "PGError(\(self.code)"
        for (name, value) in fields {
            if let value { text += ", \(name): \(value)" }
        }
        if let underlying { text += ", underlying: \(String(reflecting: underlying))" }
        return text + ")"
    }
}
