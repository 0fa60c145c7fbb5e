/// Splits SQL text into its statements as psql does (PostgreSQL manual, "Lexical Structure"), beginning with
/// `standard_conforming_strings` on.
///
/// Two things differ from psql, which there disagrees with the server: a string that goes on in the next line is read by the rules of
/// its beginning, and in the body of a function a column or label called `end` ends nothing.
struct SQLLexer {
    /// A statement as psql sends it: with its semicolon, and with the block comment in front of it, where `pg_hint_plan` looks for hints.
    struct Statement: Hashable {
        let bytes: Range<Int>
        /// Of its first word.
        let position: SourceText.Position
        /// Its words outside quotes and parentheses, in lower case; the first few, which tell the kind of statement.
        let words: [String]
        /// The lines that follow `COPY … FROM stdin`, without the `\.` that ends them.
        var copyData: Range<Int>?
    }

    /// A comment `-- migrate:NAME VALUE` outside statements.
    struct Directive: Hashable {
        let name: String
        let value: String
        let position: SourceText.Position
        /// How many statements stand before it.
        let statementsBefore: Int
    }

    struct Output {
        var statements: [Statement] = []
        var directives: [Directive] = []
    }

    let bytes: [UInt8]
    var index = 0
    /// Where the statement begins that is being read, a comment in front of it included.
    private var start: Int?
    private var firstToken: Int?
    private var words: [String] = []
    /// The word outside parentheses right before the next token.
    private var previousWord = ""
    private var parentheses = 0
    /// How many `BEGIN ATOMIC` and `CASE` of the body of an SQL function are open.
    private var bodies = 0
    /// Whether a backslash in a plain string is a character like others.
    var hasStandardStrings = true
    /// The statements on this line whose data begin on the next one.
    private var awaitingData: [Int] = []
    private var output = Output()
    private var cursor = (offset: 0, line: 1, column: 1)

    private static let wordLimit = 64
    private static let directivePrefix = "migrate:"

    private init(_ source: SourceText) {
        self.bytes = Array(source.text.utf8)
    }

    static func split(_ source: SourceText) throws(SourceProblem) -> Output {
        var lexer = SQLLexer(source)
        try lexer.run()
        return lexer.output
    }

    private mutating func run() throws(SourceProblem) {
        while let byte = self.byte(0) {
            let first = self.index
            switch byte {
            case _ where Self.isSpace(byte):
                self.index += 1
            case UInt8(ascii: "-") where self.byte(1) == UInt8(ascii: "-"):
                try self.lineComment()
            case UInt8(ascii: "/") where self.byte(1) == UInt8(ascii: "*"):
                self.start = self.start ?? self.index
                try self.blockComment()
            case UInt8(ascii: ";") where self.parentheses == 0 && self.bodies == 0:
                self.index += 1
                self.endStatement(at: self.index)
            case UInt8(ascii: "\\"):
                throw self.problem("commands of psql, such as \\i or \\set, are no SQL", at: self.index)
            default:
                self.start = self.start ?? self.index
                self.firstToken = self.firstToken ?? self.index
                try self.token(byte)
            }
            if !self.awaitingData.isEmpty { try self.readCopyData(afterTokenAt: first) }
        }
        self.endStatement(at: (self.bytes.lastIndex { !Self.isSpace($0) } ?? -1) + 1)
        for statement in self.awaitingData { self.output.statements[statement].copyData = self.index..<self.index }
    }

    private mutating func token(_ byte: UInt8) throws(SourceProblem) {
        let previousWord = self.previousWord
        self.previousWord = ""
        switch byte {
        case UInt8(ascii: "'"):
            try self.string(escapes: !self.hasStandardStrings)
        case UInt8(ascii: "\""):
            try self.quoted(UInt8(ascii: "\""), escapes: false, what: "quoted name")
        case UInt8(ascii: "$"):
            try self.dollar()
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            self.skip { Self.continuesWord($0) && $0 != UInt8(ascii: "$") || $0 == UInt8(ascii: ".") }
        case _ where Self.startsWord(byte):
            let isColumn = self.index > 0 && self.bytes[self.index - 1] == UInt8(ascii: ".")
            guard let word = try self.word(), self.parentheses == 0, !isColumn else { return }
            self.note(word, after: previousWord)
        default:
            if byte == UInt8(ascii: "(") { self.parentheses += 1 }
            if byte == UInt8(ascii: ")"), self.parentheses > 0 { self.parentheses -= 1 }
            self.index += 1
        }
    }

    private mutating func note(_ word: String, after previousWord: String) {
        if self.bodies > 0 {
            if word == "case" { self.bodies += 1 }
            if word == "end", previousWord != "as" { self.bodies -= 1 }
        } else if word == "atomic", previousWord == "begin", self.words.first == "create" {
            self.bodies = 1
        }
        self.previousWord = word
        if self.words.count < Self.wordLimit { self.words.append(word) }
    }

    private mutating func lineComment() throws(SourceProblem) {
        let first = self.index
        self.skip { !Self.isLineBreak($0) }
        let comment = Self.trim(self.bytes[(first + 2)..<self.index])
        guard comment.hasPrefix(Self.directivePrefix) else { return }
        guard self.firstToken == nil else {
            throw self.problem("directives stand between statements, not within one", at: first)
        }
        let parts = comment.dropFirst(Self.directivePrefix.count).split(maxSplits: 1) { $0 == " " || $0 == "\t" }
        self.output.directives.append(
            Directive(
                name: parts.first.map(String.init) ?? "",
                value: parts.count > 1 ? Self.trim(parts[1].utf8) : "",
                position: self.position(ofByte: first),
                statementsBefore: self.output.statements.count
            )
        )
    }

    private mutating func endStatement(at end: Int) {
        defer {
            self.start = nil
            self.firstToken = nil
            self.words = []
            self.previousWord = ""
            self.parentheses = 0
            self.bodies = 0
        }
        guard let start, let firstToken else { return }
        let statement = Statement(bytes: start..<end, position: self.position(ofByte: firstToken), words: self.words)
        if statement.readsFromClient { self.awaitingData.append(self.output.statements.count) }
        if let isOn = statement.standardStrings(self.bytes) { self.hasStandardStrings = isOn }
        self.output.statements.append(statement)
    }

    /// Takes the lines of data after the line that the token at `first` ends, if it does.
    private mutating func readCopyData(afterTokenAt first: Int) throws(SourceProblem) {
        guard let lineBreak = self.bytes[first..<self.index].firstIndex(of: UInt8(ascii: "\n")) else { return }
        guard self.start == nil, lineBreak == self.index - 1 else {
            throw self.problem("the line after this one holds the data of COPY, so nothing can go on there", at: first)
        }
        for statement in self.awaitingData {
            let data = self.index
            var end = self.bytes.count
            while self.index < self.bytes.count {
                let line = self.bytes[self.index...].prefix { $0 != UInt8(ascii: "\n") }
                let isEnd = line.elementsEqual("\\.".utf8)
                if isEnd { end = self.index }
                self.index = min(line.endIndex + 1, self.bytes.count)
                if isEnd { break }
            }
            self.output.statements[statement].copyData = data..<min(end, self.index)
        }
        self.awaitingData = []
    }

    /// The place of a byte; fast when it comes after the one that was asked for last.
    mutating func position(ofByte offset: Int) -> SourceText.Position {
        if offset < self.cursor.offset { self.cursor = (0, 1, 1) }
        while self.cursor.offset < offset {
            let byte = self.bytes[self.cursor.offset]
            self.cursor.offset += 1
            if byte == UInt8(ascii: "\n") {
                self.cursor.line += 1
                self.cursor.column = 1
            } else if self.cursor.offset == self.bytes.count || !Self.continuesScalar(self.bytes[self.cursor.offset]) {
                self.cursor.column += 1
            }
        }
        return SourceText.Position(line: self.cursor.line, column: self.cursor.column)
    }

    mutating func problem(_ message: String, at offset: Int) -> SourceProblem {
        SourceProblem(message: message, position: self.position(ofByte: offset))
    }
}

/// What is wrong with a file, and where.
struct SourceProblem: Error, Hashable {
    let message: String
    let position: SourceText.Position
}
