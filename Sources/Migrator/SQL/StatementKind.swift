/// What running a statement alone, outside a transaction, has to know about it.
enum StatementKind: Hashable {
    /// Can be a part of a transaction, as far as one can tell.
    case ordinary
    /// Changes the session, so it is said again when a file is taken up half-way.
    case setting
    /// `CREATE INDEX CONCURRENTLY`; the name is nil when the server is to choose it.
    case buildIndex(name: String?, table: QualifiedName)
    /// `DROP INDEX CONCURRENTLY`
    case dropIndex(QualifiedName)
    /// `REINDEX`; nil for a schema or a database.
    case rebuildIndexes(of: QualifiedName?, isConcurrent: Bool)
    /// `ALTER TABLE … DETACH PARTITION … CONCURRENTLY`
    case detachPartition(QualifiedName, from: QualifiedName)
    /// Any other that the server refuses inside a transaction, or that commits by itself.
    case alone

    /// A name with its schema, if it was given, each part as the catalog has it.
    struct QualifiedName: Hashable {
        let parts: [String]

        var quoted: String { self.parts.map(\.quotedAsName).joined(separator: ".") }
    }

    init(_ text: String) {
        var reader = Reader(tokens: SQLTokens.of(text)[...])
        self = reader.kind(commits: Self.commits(text))
    }

    /// Whether a block of code ends transactions, as far as its words tell.
    private static func commits(_ text: String) -> Bool {
        let words = text.lowercased().utf8.split { !SQLLexer.continuesWord($0) || $0 == UInt8(ascii: "$") }
        return words.contains { $0.elementsEqual("commit".utf8) || $0.elementsEqual("rollback".utf8) }
    }

    /// Whether it waits for transactions to end rather than queue in front of others.
    var waitsForSnapshots: Bool {
        switch self {
        case .buildIndex, .dropIndex, .detachPartition, .rebuildIndexes(_, isConcurrent: true): true
        case .ordinary, .setting, .alone, .rebuildIndexes(_, isConcurrent: false): false
        }
    }
}

private struct Reader {
    typealias QualifiedName = StatementKind.QualifiedName

    var tokens: ArraySlice<SQLTokens.Token>

    mutating func kind(commits: @autoclosure () -> Bool) -> StatementKind {
        switch self.word() {
        case "set", "reset": return .setting
        case "create": return self.create()
        case "drop": return self.drop()
        case "reindex": return self.reindex()
        case "alter": return self.alter()
        case "vacuum", "call": return .alone
        case "cluster": return self.tokens.isEmpty ? .alone : .ordinary
        case "do": return commits() ? .alone : .ordinary
        default: return .ordinary
        }
    }

    private mutating func create() -> StatementKind {
        if self.skip("database") || self.skip("tablespace") || self.skip("subscription") { return .alone }
        _ = self.skip("unique")
        guard self.skip("index"), self.skip("concurrently") else { return .ordinary }
        let hasCondition = self.skip("if") && self.skip("not") && self.skip("exists")
        // ON is a reserved word, so no index is called so without quotes.
        let name = hasCondition || self.tokens.first != .word("on") ? self.name() : nil
        guard self.skip("on") else { return .alone }
        _ = self.skip("only")
        guard let table = self.qualifiedName() else { return .alone }
        return .buildIndex(name: name, table: table)
    }

    private mutating func drop() -> StatementKind {
        if self.skip("database") || self.skip("tablespace") || self.skip("subscription") { return .alone }
        guard self.skip("index"), self.skip("concurrently") else { return .ordinary }
        _ = self.skip("if") && self.skip("exists")
        return self.qualifiedName().map(StatementKind.dropIndex) ?? .alone
    }

    private mutating func reindex() -> StatementKind {
        let isConcurrent = self.tokens.prefix(8).contains(.word("concurrently"))
        if self.tokens.first == .sign(UInt8(ascii: "(")) {
            self.tokens = self.tokens.drop { $0 != .sign(UInt8(ascii: ")")) }.dropFirst()
        }
        let isOfTable = self.skip("table")
        guard isOfTable || self.skip("index") else { return .rebuildIndexes(of: nil, isConcurrent: isConcurrent) }
        _ = self.skip("concurrently")
        return .rebuildIndexes(of: self.qualifiedName(), isConcurrent: isConcurrent)
    }

    private mutating func alter() -> StatementKind {
        if self.skip("system") || self.skip("subscription") { return .alone }
        guard self.skip("table") else { return .ordinary }
        _ = self.skip("if") && self.skip("exists")
        _ = self.skip("only")
        guard let table = self.qualifiedName(), self.skip("detach"), self.skip("partition"),
            let partition = self.qualifiedName(), self.skip("concurrently")
        else { return .ordinary }
        return .detachPartition(partition, from: table)
    }

    private mutating func word() -> String? {
        guard case .word(let word) = self.tokens.first else { return nil }
        self.tokens.removeFirst()
        return word
    }

    private mutating func skip(_ word: String) -> Bool {
        guard self.tokens.first == .word(word) else { return false }
        self.tokens.removeFirst()
        return true
    }

    private mutating func name() -> String? {
        switch self.tokens.first {
        case .word(let name), .name(let name):
            self.tokens.removeFirst()
            return name
        default:
            return nil
        }
    }

    private mutating func qualifiedName() -> QualifiedName? {
        var parts: [String] = []
        while let part = self.name() {
            parts.append(part)
            guard self.tokens.first == .sign(UInt8(ascii: ".")) else { break }
            self.tokens.removeFirst()
        }
        return parts.isEmpty ? nil : QualifiedName(parts: parts)
    }
}
