/// Each of these begins at the first byte of a token and leaves `index` behind its last one.
extension SQLLexer {
    /// Returns the word in lower case, or nil when it began a string.
    mutating func word() throws(SourceProblem) -> String? {
        let first = self.index
        self.skip(Self.continuesWord)
        let word = String(decoding: self.bytes[first..<self.index], as: UTF8.self).lowercased()
        if word == "u", self.byte(0) == UInt8(ascii: "&"), self.byte(1) == UInt8(ascii: "'") {
            self.index += 1
            try self.string(escapes: false)
            return nil
        }
        guard self.byte(0) == UInt8(ascii: "'") else { return word }
        switch word {
        case "e": try self.string(escapes: true)
        case "b", "x": try self.string(escapes: false)
        default: return word
        }
        return nil
    }

    /// A string, and those that go on with it on further lines, which are read by the rules of the first.
    mutating func string(escapes: Bool) throws(SourceProblem) {
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

    mutating func quoted(_ quote: UInt8, escapes: Bool, what: String) throws(SourceProblem) {
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

    /// A dollar-quoted string, or a parameter or stray dollar sign, on which nothing depends.
    mutating func dollar() throws(SourceProblem) {
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

    mutating func blockComment() throws(SourceProblem) {
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

    func byte(_ offset: Int) -> UInt8? {
        self.index + offset < self.bytes.count ? self.bytes[self.index + offset] : nil
    }

    mutating func skip(_ belongs: (UInt8) -> Bool) {
        while let byte = self.byte(0), belongs(byte) { self.index += 1 }
    }

    static func trim(_ bytes: some BidirectionalCollection<UInt8>) -> String {
        var text = Substring(String(decoding: bytes, as: UTF8.self))
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }

    static func isLineBreak(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

    static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || (0x09...0x0D).contains(byte) }

    /// Whether a byte goes on with a character of UTF-8.
    static func continuesScalar(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

    static func startsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
            0x80...0xFF:
            true
        default: false
        }
    }

    static func continuesWord(_ byte: UInt8) -> Bool {
        self.startsWord(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "$")
    }
}
