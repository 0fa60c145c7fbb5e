/// The words, names and signs of a statement, without comments and with every literal as one.
///
/// For statements that were split already, so whatever is quoted ends.
struct SQLTokens {
    enum Token: Hashable {
        /// A key word or plain name, in lower case.
        case word(String)
        /// A quoted name, as it is.
        case name(String)
        case literal
        case sign(UInt8)
    }

    private let bytes: [UInt8]
    private var index = 0

    private init(_ text: String) {
        self.bytes = Array(text.utf8)
    }

    static func of(_ text: String) -> [Token] {
        var tokens: [Token] = []
        var reader = SQLTokens(text)
        while let token = reader.next() { tokens.append(token) }
        return tokens
    }

    private mutating func next() -> Token? {
        while let byte = self.byte(0) {
            if byte == UInt8(ascii: " ") || (0x09...0x0D).contains(byte) {
                self.index += 1
            } else if byte == UInt8(ascii: "-"), self.byte(1) == byte {
                _ = self.take { $0 != UInt8(ascii: "\n") }
            } else if byte == UInt8(ascii: "/"), self.byte(1) == UInt8(ascii: "*") {
                self.skipComment()
            } else {
                return self.token(byte)
            }
        }
        return nil
    }

    private mutating func token(_ byte: UInt8) -> Token {
        switch byte {
        case UInt8(ascii: "\""):
            return .name(self.quoted(byte).replacing("\"\"", with: "\""))
        case UInt8(ascii: "'"):
            _ = self.quoted(byte)
            return .literal
        case UInt8(ascii: "$"):
            self.skipDollars()
            return .literal
        case _ where Self.isWord(byte):
            return .word(self.take(Self.isWord).lowercased())
        default:
            self.index += 1
            return .sign(byte)
        }
    }

    private mutating func quoted(_ quote: UInt8) -> String {
        let first = self.index + 1
        self.index = first
        while let byte = self.byte(0), byte != quote || self.byte(1) == quote {
            self.index += byte == quote ? 2 : 1
        }
        let text = String(decoding: self.bytes[first..<min(self.index, self.bytes.count)], as: UTF8.self)
        self.index += 1
        return text
    }

    /// A dollar-quoted string, or the sign alone.
    private mutating func skipDollars() {
        let first = self.index
        self.index += 1
        _ = self.take { $0 != UInt8(ascii: "$") && Self.isWord($0) }
        guard self.byte(0) == UInt8(ascii: "$") else { return }
        self.index += 1
        let tag = self.bytes[first..<self.index]
        while self.index < self.bytes.count, !self.bytes[self.index...].starts(with: tag) { self.index += 1 }
        self.index += tag.count
    }

    private mutating func skipComment() {
        var depth = 0
        while let byte = self.byte(0) {
            let isOpening = byte == UInt8(ascii: "/") && self.byte(1) == UInt8(ascii: "*")
            let isClosing = byte == UInt8(ascii: "*") && self.byte(1) == UInt8(ascii: "/")
            depth += isOpening ? 1 : isClosing ? -1 : 0
            self.index += isOpening || isClosing ? 2 : 1
            if depth == 0 { return }
        }
    }

    private mutating func take(_ belongs: (UInt8) -> Bool) -> String {
        let first = self.index
        while let byte = self.byte(0), belongs(byte) { self.index += 1 }
        return String(decoding: self.bytes[first..<self.index], as: UTF8.self)
    }

    private func byte(_ offset: Int) -> UInt8? {
        self.index + offset < self.bytes.count ? self.bytes[self.index + offset] : nil
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...0xFF:
            true
        default: false
        }
    }
}
