/// What makes two queries the same prepared statement.
struct StatementKey: Hashable, Sendable {
    let sql: String
    let types: [UInt32]
    /// Computed where the query is made, so that the I/O thread does not hash text.
    private let digest: Int

    init(_ query: PGQuery) {
        self.sql = query.sql
        self.types = query.binds.map(\.type.rawValue)
        var hasher = Hasher()
        hasher.combine(self.sql)
        hasher.combine(self.types)
        self.digest = hasher.finalize()
    }

    static func == (a: StatementKey, b: StatementKey) -> Bool {
        a.digest == b.digest && a.sql == b.sql && a.types == b.types
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(self.digest)
    }
}

/// The prepared statements of one connection, the least recently used of which makes room for a new one.
struct StatementCache {
    final class Entry {
        let name: String
        fileprivate(set) var isPrepared = false
        /// What each run may leave behind in the session.
        var dirt: SessionDirt = []
        fileprivate var lastUse = 0
        init(name: String) { self.name = name }
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

    private let capacity: Int
    var server = Server.unknown
    private var entries: [StatementKey: Entry] = [:]
    private var uses = 0
    private var names = 0
    /// Statements that the server still knows and nobody will use again.
    private(set) var abandoned: [String] = []

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// How to run the query. A statement is prepared when it comes for the second time.
    mutating func plan(_ key: StatementKey) -> Plan {
        guard self.capacity > 0, self.server != .changing else { return .sendUnprepared }
        self.uses += 1
        if let entry = self.entries[key] {
            entry.lastUse = self.uses
            guard !entry.isPrepared else { return .execute(entry) }
            return self.server == .steady ? .prepare(entry) : .askServer
        }
        if self.entries.count >= self.capacity,
            let oldest = self.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            self.remove(oldest.key)
        }
        self.names += 1
        let entry = Entry(name: "_pgclient_\(self.names)")
        entry.lastUse = self.uses
        self.entries[key] = entry
        return .sendUnprepared
    }

    func markPrepared(_ entry: Entry) {
        entry.isPrepared = true
    }

    func markUnprepared(_ entry: Entry) {
        entry.isPrepared = false
    }

    /// Forgets a statement that the server no longer accepts. The next use prepares it anew under another name.
    mutating func renew(_ key: StatementKey, instead stale: Entry) -> Entry {
        if let entry = self.entries[key], entry !== stale { return entry }
        self.remove(key)
        self.names += 1
        let entry = Entry(name: "_pgclient_\(self.names)")
        entry.lastUse = self.uses
        self.entries[key] = entry
        return entry
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

    private mutating func remove(_ key: StatementKey) {
        guard let entry = self.entries.removeValue(forKey: key), entry.isPrepared else { return }
        self.abandoned.append(entry.name)
    }
}
