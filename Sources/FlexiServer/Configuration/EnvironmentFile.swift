import FoundationEssentials

/// Reads the `KEY=value` lines of an env file as the reference system's framework does, so that an existing one can
/// be carried over: `#` comments, `export`, single and double quotes, and `${OTHER}` outside of single quotes.
enum EnvironmentFile {
    static func read(_ path: String) throws(ConfigurationError) -> [String: String] {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw ConfigurationError("the env file \(path) cannot be read")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw ConfigurationError("the env file \(path) is not UTF-8")
        }
        do {
            return try self.parse(text)
        } catch {
            throw ConfigurationError("the env file \(path), line \(error.line): \(error.problem)")
        }
    }

    struct SyntaxError: Error, Hashable {
        let line: Int
        let problem: String
    }

    /// The last of several lines for one key counts.
    static func parse(_ text: String) throws(SyntaxError) -> [String: String] {
        var values: [String: String] = [:]
        for (index, raw) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            var line = raw.trimmed
            if line.isEmpty || line.first == "#" { continue }
            if line.hasPrefix("export ") { line = line.dropFirst("export ".count).trimmed }
            guard let equals = line.firstIndex(of: "=") else {
                throw SyntaxError(line: index + 1, problem: "an entry is written KEY=value")
            }
            let name = line[..<equals].trimmed
            guard !name.isEmpty, name.utf8.allSatisfy(self.isNameByte) else {
                throw SyntaxError(line: index + 1, problem: "a key is made of letters, digits and underscores")
            }
            guard let value = self.value(line[line.index(after: equals)...].trimmed, values) else {
                throw SyntaxError(line: index + 1, problem: "a quote is not closed")
            }
            values[String(name)] = value
        }
        return values
    }

    /// `nil` when a quote is not closed.
    private static func value(_ raw: Substring, _ known: [String: String]) -> String? {
        switch raw.first {
        case "'":
            guard let end = raw.dropFirst().firstIndex(of: "'") else { return nil }
            return String(raw[raw.index(after: raw.startIndex)..<end])
        case "\"":
            guard let text = self.doubleQuoted(raw.dropFirst()) else { return nil }
            return self.expanded(text, known)
        default:
            // A comment begins at a `#` with white space before it.
            var end = raw.startIndex
            var previous: Character = " "
            while end < raw.endIndex, !(raw[end] == "#" && previous.isWhitespace) {
                previous = raw[end]
                end = raw.index(after: end)
            }
            return self.expanded(String(raw[..<end].trimmed), known)
        }
    }

    private static func doubleQuoted(_ raw: Substring) -> String? {
        var text = ""
        var isEscaped = false
        for character in raw {
            switch character {
            case "\\" where !isEscaped: isEscaped = true
            case "\"" where !isEscaped: return text
            case "n" where isEscaped:
                text.append("\n")
                isEscaped = false
            default:
                text.append(character)
                isEscaped = false
            }
        }
        return nil
    }

    /// Replaces `${NAME}` by what a line before says of it, or by nothing.
    private static func expanded(_ text: String, _ known: [String: String]) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "${"), let end = rest[start.upperBound...].firstIndex(of: "}") {
            result += rest[..<start.lowerBound]
            result += known[String(rest[start.upperBound..<end])] ?? ""
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
