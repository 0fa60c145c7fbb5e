/// SQL without its literals and comments, on one line and not too long: what may be logged and measured.
///
/// Parameters are never a part of SQL here, but `unsafeSQL` may hold values. Where it depends on `standard_conforming_strings`
/// what is one, nothing that follows is shown.
enum SQLFingerprint {
    private static let maximumLength = 200

    static func text(of sql: String) -> String {
        var scanner = Scanner(bytes: Array(sql.utf8))
        return scanner.fingerprint(maximumLength: self.maximumLength)
    }

    /// Follows PostgreSQL's lexical structure as far as it takes to find literals and comments.
    private struct Scanner {
        let bytes: [UInt8]
        var position = 0
        var output: [UInt8] = []
        /// What follows may be a part of a literal.
        var isLost = false

        init(bytes: [UInt8]) {
            self.bytes = bytes
        }

        mutating func fingerprint(maximumLength: Int) -> String {
            while self.position < self.bytes.count, self.output.count < maximumLength, !self.isLost { self.step() }
            let isCut = self.isLost || self.position < self.bytes.count
            while self.output.last == UInt8(ascii: " ") { self.output.removeLast() }
            return String(decoding: self.output, as: UTF8.self) + (isCut ? "…" : "")
        }

        private mutating func step() {
            let byte = self.bytes[self.position]
            switch byte {
            case UInt8(ascii: "'"):
                self.literal(.perhaps)
            case UInt8(ascii: "\""):
                let start = self.position
                self.skipQuoted(byte, .never)
                self.output += self.bytes[start..<self.position]
            case UInt8(ascii: "$"):
                self.dollar()
            case UInt8(ascii: "-") where self.peek(1) == UInt8(ascii: "-"):
                while let next = self.peek(0), next != UInt8(ascii: "\n"), next != UInt8(ascii: "\r") {
                    self.position += 1
                }
            case UInt8(ascii: "/") where self.peek(1) == UInt8(ascii: "*"):
                self.skipComment()
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                while let next = self.peek(0), Self.isWord(next) || next == UInt8(ascii: ".") { self.position += 1 }
                self.output.append(UInt8(ascii: "?"))
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x0B, 0x0C:
                self.position += 1
                if let last = self.output.last, last != UInt8(ascii: " ") { self.output.append(UInt8(ascii: " ")) }
            case _ where Self.isWord(byte):
                self.word()
            default:
                self.position += 1
                self.output.append(byte)
            }
        }

        /// A name or keyword stays, and so do the prefixes of E'…', B'…' and X'…'.
        private mutating func word() {
            let start = self.position
            while let next = self.peek(0), Self.isWord(next) || next == UInt8(ascii: "$") { self.position += 1 }
            let word = self.bytes[start..<self.position]
            self.output += word
            if self.peek(0) == UInt8(ascii: "'"), word.elementsEqual("e".utf8) || word.elementsEqual("E".utf8) {
                self.literal(.always)
            }
        }

        private mutating func literal(_ escapes: Escapes) {
            self.skipQuoted(UInt8(ascii: "'"), escapes)
            self.output.append(UInt8(ascii: "?"))
        }

        /// `$1` stays; `$$…$$` and `$tag$…$tag$` are literals.
        private mutating func dollar() {
            var end = self.position + 1
            while end < self.bytes.count, Self.isWord(self.bytes[end]) { end += 1 }
            let isTag = end < self.bytes.count && self.bytes[end] == UInt8(ascii: "$")
            guard isTag, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self.bytes[self.position + 1]) else {
                self.output += self.bytes[self.position..<end]
                self.position = end
                return
            }
            let tag = self.bytes[self.position...end]
            self.position = end + 1
            while self.position < self.bytes.count, !self.bytes[self.position...].starts(with: tag) {
                self.position += 1
            }
            self.position = min(self.position + tag.count, self.bytes.count)
            self.output.append(UInt8(ascii: "?"))
        }

        /// Whether a backslash hides the quote behind it.
        private enum Escapes {
            case always
            case perhaps
            case never
        }

        private mutating func skipQuoted(_ quote: UInt8, _ escapes: Escapes) {
            self.position += 1
            while let byte = self.peek(0) {
                self.position += 1
                if byte == quote {
                    guard self.peek(0) == quote else { return }
                    self.position += 1
                } else if byte == UInt8(ascii: "\\"), escapes != .never {
                    if self.peek(0) == quote, escapes == .perhaps {
                        self.isLost = true
                        return
                    }
                    self.position += 1
                }
            }
            self.position = min(self.position, self.bytes.count)
        }

        private mutating func skipComment() {
            var depth = 0
            repeat {
                if self.peek(0) == UInt8(ascii: "/"), self.peek(1) == UInt8(ascii: "*") {
                    depth += 1
                    self.position += 2
                } else if self.peek(0) == UInt8(ascii: "*"), self.peek(1) == UInt8(ascii: "/") {
                    depth -= 1
                    self.position += 2
                } else {
                    self.position += 1
                }
            } while depth > 0 && self.position < self.bytes.count
        }

        private func peek(_ distance: Int) -> UInt8? {
            let index = self.position + distance
            return index < self.bytes.count ? self.bytes[index] : nil
        }

        private static func isWord(_ byte: UInt8) -> Bool {
            byte == UInt8(ascii: "_") || byte >= 0x80 || Character(Unicode.Scalar(byte)).isLetter
                || Character(Unicode.Scalar(byte)).isNumber
        }
    }
}
