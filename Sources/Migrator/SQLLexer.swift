/// Splits SQL text into its statements as psql does (PostgreSQL manual, "Lexical Structure"), with
/// `standard_conforming_strings` on.
struct SQLLexer {
    /// A statement from its first word to the one before the semicolon.
    struct Statement: Hashable {
        let bytes: Range<Int>
        let position: SourceText.Position
        /// Its words outside quotes and parentheses, in lower case; the first few, which tell the kind of statement.
        let words: [String]
    }

    /// A comment `-- migrate:NAME VALUE` before the first statement.
    struct Directive: Hashable {
        let name: String
        let value: String
        let position: SourceText.Position
    }

    struct Output {
        var statements: [Statement] = []
        var directives: [Directive] = []
    }

    private let source: SourceText
    private let bytes: [UInt8]
    private var index = 0
    private var output = Output()
    private var start: Int?
    private var words: [String] = []
    private var parentheses = 0
    /// How many `BEGIN ATOMIC` and `CASE` of the body of an SQL function are open.
    private var bodies = 0

    private static let wordLimit = 64
    private static let directivePrefix = "migrate:"

    private init(_ source: SourceText) {
        self.source = source
        self.bytes = Array(source.text.utf8)
    }

    static func split(_ source: SourceText) throws(SourceProblem) -> Output {
        var lexer = SQLLexer(source)
        try lexer.run()
        return lexer.output
    }

    private mutating func run() throws(SourceProblem) {
        while let byte = self.byte(0) {
            switch byte {
            case _ where Self.isSpace(byte):
                self.index += 1
            case UInt8(ascii: "-") where self.byte(1) == UInt8(ascii: "-"):
                try self.lineComment()
            case UInt8(ascii: "/") where self.byte(1) == UInt8(ascii: "*"):
                try self.blockComment()
            case UInt8(ascii: ";") where self.parentheses == 0 && self.bodies == 0:
                try self.endStatement()
                self.index += 1
            case UInt8(ascii: "\\"):
                throw self.problem("commands of psql, such as \\i or \\set, are no SQL", at: self.index)
            default:
                self.start = self.start ?? self.index
                try self.token(byte)
            }
        }
        try self.endStatement()
    }

    private mutating func token(_ byte: UInt8) throws(SourceProblem) {
        switch byte {
        case UInt8(ascii: "'"):
            try self.string(escapes: false)
        case UInt8(ascii: "\""):
            try self.quoted(UInt8(ascii: "\""), escapes: false, what: "quoted name")
        case UInt8(ascii: "$"):
            try self.dollar()
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            self.skip { Self.continuesWord($0) && $0 != UInt8(ascii: "$") || $0 == UInt8(ascii: ".") }
        case _ where Self.startsWord(byte):
            try self.word()
        default:
            if byte == UInt8(ascii: "(") { self.parentheses += 1 }
            if byte == UInt8(ascii: ")"), self.parentheses > 0 { self.parentheses -= 1 }
            self.index += 1
        }
    }

    private mutating func word() throws(SourceProblem) {
        let first = self.index
        self.skip(Self.continuesWord)
        let word = String(decoding: self.bytes[first..<self.index], as: UTF8.self).lowercased()
        if word == "e", self.byte(0) == UInt8(ascii: "'") {
            return try self.string(escapes: true)
        }
        let isColumn = first > 0 && self.bytes[first - 1] == UInt8(ascii: ".")
        guard self.parentheses == 0, !isColumn else { return }
        if self.bodies > 0 {
            if word == "case" { self.bodies += 1 }
            if word == "end" { self.bodies -= 1 }
        } else if word == "atomic", self.words.last == "begin", self.words.first == "create" {
            self.bodies = 1
        }
        if self.words.count < Self.wordLimit || word == "begin" || word == "atomic" { self.words.append(word) }
    }

    /// A string, and those that go on with it on further lines, which are read by the rules of the first.
    private mutating func string(escapes: Bool) throws(SourceProblem) {
        while true {
            try self.quoted(UInt8(ascii: "'"), escapes: escapes, what: "string")
            guard let next = self.continuation() else { return }
            self.index = next
        }
    }

    /// Where a string goes on after white space that holds a line break; comments to the end of a line count as white space.
    private func continuation() -> Int? {
        var next = self.index
        var hasBreak = false
        while next < self.bytes.count {
            if Self.isSpace(self.bytes[next]) {
                hasBreak = hasBreak || Self.isLineBreak(self.bytes[next])
                next += 1
            } else if self.bytes[next...].starts(with: [UInt8(ascii: "-"), UInt8(ascii: "-")]) {
                next = self.bytes[next...].firstIndex(where: Self.isLineBreak) ?? self.bytes.count
            } else {
                break
            }
        }
        return hasBreak && next < self.bytes.count && self.bytes[next] == UInt8(ascii: "'") ? next : nil
    }

    private mutating func quoted(_ quote: UInt8, escapes: Bool, what: String) throws(SourceProblem) {
        let first = self.index
        self.index += 1
        while let byte = self.byte(0) {
            if byte == quote {
                guard self.byte(1) == quote else {
                    self.index += 1
                    return
                }
                self.index += 2
            } else {
                self.index += escapes && byte == UInt8(ascii: "\\") ? 2 : 1
            }
        }
        throw self.problem("this \(what) does not end", at: first)
    }

    /// A dollar-quoted string, or a parameter or stray dollar sign, of which nothing depends.
    private mutating func dollar() throws(SourceProblem) {
        let first = self.index
        var end = first + 1
        if end < self.bytes.count, Self.startsWord(self.bytes[end]) {
            while end < self.bytes.count, Self.continuesWord(self.bytes[end]), self.bytes[end] != UInt8(ascii: "$") {
                end += 1
            }
        }
        guard end < self.bytes.count, self.bytes[end] == UInt8(ascii: "$") else {
            self.index += 1
            return
        }
        let tag = self.bytes[first...end]
        self.index = end + 1
        while self.index < self.bytes.count {
            if self.bytes[self.index] == UInt8(ascii: "$"), self.bytes[self.index...].starts(with: tag) {
                self.index += tag.count
                return
            }
            self.index += 1
        }
        throw self.problem("this \(String(decoding: tag, as: UTF8.self)) string does not end", at: first)
    }

    private mutating func lineComment() throws(SourceProblem) {
        let first = self.index
        self.skip { !Self.isLineBreak($0) }
        let comment = Self.trim(self.bytes[(first + 2)..<self.index])
        guard comment.hasPrefix(Self.directivePrefix) else { return }
        guard self.start == nil, self.output.statements.isEmpty else {
            throw self.problem("directives stand before the first statement of a file", at: first)
        }
        let parts = comment.dropFirst(Self.directivePrefix.count).split(maxSplits: 1) { $0 == " " || $0 == "\t" }
        self.output.directives.append(
            Directive(
                name: parts.first.map(String.init) ?? "",
                value: parts.count > 1 ? Self.trim(parts[1].utf8) : "",
                position: self.source.position(ofByte: first)
            )
        )
    }

    private mutating func blockComment() throws(SourceProblem) {
        let first = self.index
        var depth = 0
        while let byte = self.byte(0) {
            if byte == UInt8(ascii: "/"), self.byte(1) == UInt8(ascii: "*") {
                depth += 1
                self.index += 2
            } else if byte == UInt8(ascii: "*"), self.byte(1) == UInt8(ascii: "/") {
                depth -= 1
                self.index += 2
                if depth == 0 { return }
            } else {
                self.index += 1
            }
        }
        throw self.problem("this comment does not end", at: first)
    }

    /// Looks at each statement as soon as it ends: what follows a `COPY … FROM stdin` is not SQL.
    private mutating func endStatement() throws(SourceProblem) {
        defer {
            self.start = nil
            self.words = []
            self.parentheses = 0
            self.bodies = 0
        }
        guard let start else { return }
        let statement = Statement(
            bytes: start..<self.index, position: self.source.position(ofByte: start), words: self.words)
        if let refusal = statement.refusal { throw self.problem(refusal, at: start) }
        self.output.statements.append(statement)
    }

    private func byte(_ offset: Int) -> UInt8? {
        self.index + offset < self.bytes.count ? self.bytes[self.index + offset] : nil
    }

    private mutating func skip(_ belongs: (UInt8) -> Bool) {
        while let byte = self.byte(0), belongs(byte) { self.index += 1 }
    }

    private func problem(_ message: String, at offset: Int) -> SourceProblem {
        SourceProblem(message: message, position: self.source.position(ofByte: offset))
    }

    private static func trim(_ bytes: some BidirectionalCollection<UInt8>) -> String {
        var text = Substring(String(decoding: bytes, as: UTF8.self))
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }

    private static func isLineBreak(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || (0x09...0x0D).contains(byte) }

    private static func startsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
            0x80...0xFF:
            true
        default: false
        }
    }

    private static func continuesWord(_ byte: UInt8) -> Bool {
        self.startsWord(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "$")
    }
}

extension SQLLexer.Statement {
    /// Why a file that is applied in one transaction may not hold this statement; nil when it may.
    var refusal: String? {
        switch self.words.first {
        case "begin", "commit", "end", "abort":
            break
        case "start" where self.words.dropFirst().first == "transaction":
            break
        case "rollback" where self.words.dropFirst().first { $0 != "work" && $0 != "transaction" } != "to":
            break
        case "prepare" where self.words.dropFirst().first == "transaction":
            break
        case "copy"
        where zip(self.words, self.words.dropFirst()).contains { $0 == ("from", "stdin") || $0 == ("to", "stdout") }:
            return "COPY with the client is not possible here: write INSERT, or load the rows with psql"
        default:
            return nil
        }
        return
            "a migration is one transaction, which begins and ends with the file: it holds no \(self.words[0].uppercased())"
    }
}

/// What is wrong with a file, and where.
struct SourceProblem: Error, Hashable {
    let message: String
    let position: SourceText.Position
}
