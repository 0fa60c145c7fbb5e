import CLibPQ
import Glibc

/// What statements have left behind in a session, which the next caller must not find.
///
/// It is read from the command tags and, for what they do not tell, from words of the SQL. Rather too much is reset than too
/// little; what a function does behind the statement's back is not seen.
struct SessionDirt: OptionSet {
    let rawValue: UInt8

    static let settings = SessionDirt(rawValue: 1)
    static let channels = SessionDirt(rawValue: 2)
    static let temporaryTables = SessionDirt(rawValue: 4)
    static let advisoryLocks = SessionDirt(rawValue: 8)
    static let preparedStatements = SessionDirt(rawValue: 16)
    static let cursors = SessionDirt(rawValue: 32)

    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// What running the SQL may leave behind without saying so in its command tag. Words within literals count: they may be run, by DO
    /// or EXECUTE.
    init(sql: String) {
        var dirt: SessionDirt = []
        var sql = sql
        sql.withUTF8 { text in
            var start = 0
            for index in 0...text.count where index == text.count || !text[index].isPartOfWord {
                if index > start {
                    dirt.formUnion(SessionDirt(word: UnsafeBufferPointer(rebasing: text[start..<index])))
                }
                start = index + 1
            }
        }
        self = dirt
    }

    private init(word: UnsafeBufferPointer<UInt8>) {
        self = Self.words.first { word.isEqual(to: $0.word) }?.dirt ?? []
    }

    private static let words: [(word: StaticString, dirt: SessionDirt)] = [
        ("temp", .temporaryTables), ("temporary", .temporaryTables), ("pg_temp", .temporaryTables),
        ("pg_advisory_lock", .advisoryLocks), ("pg_advisory_lock_shared", .advisoryLocks),
        ("pg_try_advisory_lock", .advisoryLocks), ("pg_try_advisory_lock_shared", .advisoryLocks),
        ("set_config", .settings), ("hold", .cursors),
    ]

    /// What a finished statement has left behind, to be told from its command tag.
    init(commandTag: UnsafePointer<CChar>, sql: String) {
        self =
            switch String(cString: commandTag) {
            case "SET": sql.isLocalSet ? [] : .settings
            case "LISTEN": .channels
            case "PREPARE": .preparedStatements
            default: []
            }
    }

    /// The statements that undo it, as one text.
    var cleaning: String {
        var statements: [String] = []
        if self.contains(.cursors) { statements.append("CLOSE ALL") }
        if self.contains(.settings) { statements += ["SET SESSION AUTHORIZATION DEFAULT", "RESET ALL"] }
        if self.contains(.preparedStatements) { statements.append("DEALLOCATE ALL") }
        if self.contains(.channels) { statements.append("UNLISTEN *") }
        if self.contains(.advisoryLocks) { statements.append("SELECT pg_advisory_unlock_all()") }
        if self.contains(.temporaryTables) { statements.append("DISCARD TEMP") }
        return statements.joined(separator: ";")
    }
}

extension String {
    /// Whether a SET lasts no longer than its transaction.
    fileprivate var isLocalSet: Bool {
        // Of several statements only the first would be looked at.
        guard self.split(separator: ";").count(where: { !$0.allSatisfy(\.isWhitespace) }) == 1 else { return false }
        let words = self.prefix(200).split(whereSeparator: \.isWhitespace).prefix(2).map { $0.lowercased() }
        return words.first == "set" && ["local", "transaction"].contains(words.last)
    }
}

extension UInt8 {
    /// Whether a name or keyword of SQL goes on with the byte.
    var isPartOfWord: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default:
            false
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether it is the word, which is given in lower case, in any case.
    func isEqual(to word: StaticString) -> Bool {
        self.count == word.utf8CodeUnitCount
            && self.indices.allSatisfy { index in
                // The bit 0x20 is what tells the cases of a letter apart; "_" has none to lose.
                let byte = self[index]
                return (byte == UInt8(ascii: "_") ? byte : byte | 0x20) == word.utf8Start[index]
            }
    }
}
