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

    /// What running the SQL may leave behind without saying so in its command tag.
    init(sql: String) {
        var dirt: SessionDirt = []
        var sql = sql
        sql.withUTF8 { text in
            if text.holds("temp") { dirt.insert(.temporaryTables) }
            if text.holds("advisory_lock") { dirt.insert(.advisoryLocks) }
            if text.holds("set_config") { dirt.insert(.settings) }
            if text.holds("hold") { dirt.insert(.cursors) }
        }
        self = dirt
    }

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
        let words = self.prefix(200).split(whereSeparator: \.isWhitespace).prefix(2).map { $0.lowercased() }
        return words.first == "set" && ["local", "transaction"].contains(words.last)
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether the text has the word, which is given in lower case, in any case.
    fileprivate func holds(_ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard self.count >= length else { return false }
        return (0...(self.count - length)).contains { start in
            // The bit 0x20 is what tells the cases of a letter apart; "_" has none to lose.
            (0..<length).allSatisfy { offset in
                let byte = self[start + offset]
                return (byte == UInt8(ascii: "_") ? byte : byte | 0x20) == word.utf8Start[offset]
            }
        }
    }
}
