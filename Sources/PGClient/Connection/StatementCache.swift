/// A query as the prepared statements know it.
struct Statement: Sendable {
    let query: PGQuery
    /// Of its SQL and the types of its parameters; computed where the query is made, so that the I/O thread does not hash text.
    let digest: Int

    init(_ query: PGQuery) {
        self.query = query
        var hasher = Hasher()
        query.text.withUnsafeBytes { hasher.combine(bytes: $0) }
        for parameter in query.parameters { hasher.combine(parameter.value.type.rawValue) }
        self.digest = hasher.finalize()
    }
}

/// The prepared statements of one connection, the least recently used of which makes room for a new one.
struct StatementCache {
    final class Entry {
        let name: String
        /// As C takes it, which for a `String` is made anew each time.
        let nameBytes: ContiguousArray<CChar>
        private let text: [UInt8]
        let types: [UInt32]
        fileprivate(set) var isPrepared = false
        /// What each run may leave behind in the session.
        var dirt: SessionDirt = []
        fileprivate var lastUse = 0

        fileprivate init(name: String, _ query: PGQuery) {
            self.name = name
            self.nameBytes = name.utf8CString
            self.text = query.text
            self.types = query.parameters.map(\.value.type.rawValue)
        }

        fileprivate func isFor(_ query: PGQuery) -> Bool {
            self.text == query.text && self.types.elementsEqual(query.parameters.lazy.map(\.value.type.rawValue))
        }
    }

    /// Who is at the other end of the connection.
    enum Server {
        case unknown
        case steady
        /// Another one with each transaction, by a pooler: nothing can be prepared.
        case changing
    }

    enum Plan {
        /// Not seen often enough to pay for a round trip of its own.
        case sendUnprepared
        /// It would pay to prepare it, if the server stays the same.
        case askServer
        case prepare(Entry)
        case execute(Entry)
    }

    /// Statements that the server is made to forget before a transaction begins, when there are so many; before one is prepared it is made to
    /// forget all.
    private static let maximumAbandoned = 16

    private let capacity: Int
    var server = Server.unknown
    /// A statement came again that could not be prepared, in a transaction that left no room for the question who the server is.
    private var isServerWanted = false
    /// By the digests of their statements.
    private var entries: [Int: Entry] = [:]
    private var uses = 0
    private var names = 0
    /// Statements that the server still knows and nobody will use again.
    private(set) var abandoned: [String] = []

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Whether the server is to be asked who it is before anything else.
    var isQuestionDue: Bool { self.isServerWanted && self.server == .unknown }

    var areTooManyAbandoned: Bool { self.abandoned.count >= Self.maximumAbandoned }

    /// How to run the query. A statement is prepared when it comes for the second time.
    mutating func plan(_ statement: Statement) -> Plan {
        guard self.capacity > 0, self.server != .changing else { return .sendUnprepared }
        self.uses += 1
        if let entry = self.entries[statement.digest] {
            // Two texts with one digest are next to impossible: the later one does without.
            guard entry.isFor(statement.query) else { return .sendUnprepared }
            entry.lastUse = self.uses
            guard !entry.isPrepared else { return .execute(entry) }
            guard self.server == .unknown else { return .prepare(entry) }
            self.isServerWanted = true
            return .askServer
        }
        if self.entries.count >= self.capacity,
            let oldest = self.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            self.remove(oldest.key)
        }
        self.insert(statement)
        return .sendUnprepared
    }

    func markPrepared(_ entry: Entry) {
        entry.isPrepared = true
    }

    func markUnprepared(_ entry: Entry) {
        entry.isPrepared = false
    }

    /// Forgets a statement that the server no longer accepts. The next use prepares it anew under another name.
    mutating func renew(_ statement: Statement, instead stale: Entry) -> Entry {
        if let entry = self.entries[statement.digest], entry !== stale { return entry }
        self.remove(statement.digest)
        return self.insert(statement)
    }

    /// The server itself forgot everything (DISCARD ALL, DEALLOCATE ALL).
    mutating func clear() {
        self.entries = [:]
        self.abandoned = []
    }

    mutating func takeAbandoned() -> [String] {
        defer { self.abandoned = [] }
        return self.abandoned
    }

    @discardableResult
    private mutating func insert(_ statement: Statement) -> Entry {
        self.names += 1
        let entry = Entry(name: "_pgclient_\(self.names)", statement.query)
        entry.lastUse = self.uses
        self.entries[statement.digest] = entry
        return entry
    }

    private mutating func remove(_ digest: Int) {
        guard let entry = self.entries.removeValue(forKey: digest), entry.isPrepared else { return }
        self.abandoned.append(entry.name)
    }
}
