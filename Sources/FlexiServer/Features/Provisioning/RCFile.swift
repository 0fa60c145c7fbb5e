/// Reads liblinphone's configuration file format: `[section]` lines, `name=value` lines, `#` or `;` comments on lines of their own.
enum RCFile {
    struct SyntaxError: Error, Equatable, CustomStringConvertible {
        let line: Int
        let problem: String

        var description: String { "line \(self.line): \(self.problem)" }
    }

    /// The file as a document; a value reaches to the end of its line, white space around it dropped.
    static func parse(_ text: String) throws(SyntaxError) -> ProvisioningDocument {
        var document = ProvisioningDocument()
        var section: String?
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, raw) in lines.enumerated() {
            let line = Self.trimmed(raw)
            if line.isEmpty || line.first == "#" || line.first == ";" { continue }
            if line.first == "[" {
                guard line.last == "]", line.count > 2 else {
                    throw SyntaxError(line: index + 1, problem: "the section name is not closed")
                }
                section = String(Self.trimmed(line.dropFirst().dropLast()))
                continue
            }
            guard let equals = line.firstIndex(of: "="), equals != line.startIndex else {
                throw SyntaxError(line: index + 1, problem: "an entry is written name=value")
            }
            guard let section else {
                throw SyntaxError(line: index + 1, problem: "an entry stands before the first [section]")
            }
            let name = Self.trimmed(line[..<equals])
            let value = Self.trimmed(line[line.index(after: equals)...])
            document.set(String(name), in: section, to: String(value))
        }
        return document
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
