/// Reads the list of parameters behind an authentication scheme (RFC 9110, sections 5.6 and 11.4): tokens and quoted
/// strings with their escapes, in any order, with optional white space and empty list elements.
struct AuthParameters {
    /// Names are in lower case, values are without quotes and escapes.
    let values: [String: String]

    init(scheme: String, parsing header: String) throws(DigestParseError) {
        var reader = Reader(bytes: Array(header.utf8))
        guard reader.readToken()?.lowercased() == scheme.lowercased() else { throw DigestParseError.otherScheme }
        guard reader.isAtEnd || reader.skipWhitespace() else { throw DigestParseError.malformed }
        var values: [String: String] = [:]
        while !reader.isAtEnd {
            if reader.skip(",") {
                reader.skipWhitespace()
                continue
            }
            guard let name = reader.readToken()?.lowercased() else { throw DigestParseError.malformed }
            reader.skipWhitespace()
            guard reader.skip("=") else { throw DigestParseError.malformed }
            reader.skipWhitespace()
            guard let value = try reader.readQuotedString() ?? reader.readToken() else {
                throw DigestParseError.malformed
            }
            guard values.updateValue(value, forKey: name) == nil else { throw DigestParseError.duplicateParameter }
            reader.skipWhitespace()
            guard reader.isAtEnd || reader.skip(",") else { throw DigestParseError.malformed }
            reader.skipWhitespace()
        }
        self.values = values
    }
}

extension AuthParameters {
    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        var isAtEnd: Bool { self.position == self.bytes.count }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard !self.isAtEnd, self.bytes[self.position] == UInt8(ascii: character) else { return false }
            self.position += 1
            return true
        }

        @discardableResult
        mutating func skipWhitespace() -> Bool {
            let start = self.position
            while !self.isAtEnd, self.bytes[self.position] == 0x20 || self.bytes[self.position] == 0x09 {
                self.position += 1
            }
            return self.position > start
        }

        mutating func readToken() -> String? {
            let start = self.position
            while !self.isAtEnd, Self.isTokenCharacter(self.bytes[self.position]) { self.position += 1 }
            return self.position > start ? String(decoding: self.bytes[start..<self.position], as: UTF8.self) : nil
        }

        /// `nil` when no quote opens here.
        mutating func readQuotedString() throws(DigestParseError) -> String? {
            guard self.skip("\"") else { return nil }
            var content: [UInt8] = []
            while !self.isAtEnd {
                if self.skip("\"") { return String(decoding: content, as: UTF8.self) }
                _ = self.skip("\\")
                guard !self.isAtEnd else { break }
                let byte = self.bytes[self.position]
                guard byte >= 0x20, byte != 0x7f else { throw DigestParseError.controlCharacter }
                content.append(byte)
                self.position += 1
            }
            throw DigestParseError.malformed
        }

        /// `tchar` of RFC 9110, section 5.6.2.
        private static func isTokenCharacter(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
                UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
                true
            default: false
            }
        }
    }
}
