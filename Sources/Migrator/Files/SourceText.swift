/// The text of a file as it is hashed and sent: UTF-8 without a byte order mark, lines ended by LF.
///
/// Lines and columns are the same as in the file itself, since what was taken away stands at the ends of lines.
public struct SourceText: Sendable, Hashable {
    /// A place in a text: both count from 1, columns in characters (Unicode scalars, as the server counts them).
    public struct Position: Sendable, Hashable {
        public let line: Int
        public let column: Int

        public init(line: Int, column: Int) {
            self.line = line
            self.column = column
        }
    }

    public let text: String

    /// Reads the bytes of a file. Throws the place where they are no UTF-8, or hold a NUL.
    public init(_ bytes: [UInt8]) throws(MalformedText) {
        var normalised: [UInt8] = []
        normalised.reserveCapacity(bytes.count)
        var index = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        while index < bytes.count {
            let isCRLF =
                bytes[index] == UInt8(ascii: "\r") && index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "\n")
            if !isCRLF { normalised.append(bytes[index]) }
            index += 1
        }
        guard let text = String(validating: normalised, as: UTF8.self), !normalised.contains(0) else {
            let line = Self.firstMalformedLine(normalised)
            throw MalformedText(position: Position(line: line, column: 1))
        }
        self.text = text
    }

    public init(_ text: String) throws(MalformedText) {
        try self.init(Array(text.utf8))
    }

    /// The place of a byte of `text`, which begins a character.
    func position(ofByte offset: Int) -> Position {
        let utf8 = self.text.utf8
        return self.position(after: self.text[..<utf8.index(utf8.startIndex, offsetBy: offset)].unicodeScalars)
    }

    /// The place of a character of a part of `text`, by its number from 1, as the server gives it (`PGError.position`).
    func position(ofCharacter number: Int, inPartFromByte offset: Int) -> Position {
        let utf8 = self.text.utf8
        let start = utf8.index(utf8.startIndex, offsetBy: offset)
        let part = self.text[start...].unicodeScalars
        let end = part.index(part.startIndex, offsetBy: number - 1, limitedBy: part.endIndex) ?? part.endIndex
        return self.position(after: self.text[..<end].unicodeScalars)
    }

    subscript(bytes bytes: Range<Int>) -> String {
        let utf8 = self.text.utf8
        let start = utf8.index(utf8.startIndex, offsetBy: bytes.lowerBound)
        return String(self.text[start..<utf8.index(start, offsetBy: bytes.count)])
    }

    /// A line without its end; empty when there is none with that number.
    public func line(_ number: Int) -> String {
        let lines = self.text.utf8.split(
            separator: UInt8(ascii: "\n"), maxSplits: number, omittingEmptySubsequences: false)
        return lines.indices.contains(number - 1) ? String(Substring(lines[number - 1])) : ""
    }

    private func position(after scalars: some Sequence<Unicode.Scalar>) -> Position {
        var line = 1
        var column = 1
        for scalar in scalars {
            if scalar == "\n" {
                line += 1
                column = 1
            } else {
                column += 1
            }
        }
        return Position(line: line, column: column)
    }

    private static func firstMalformedLine(_ bytes: [UInt8]) -> Int {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let index = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil || $0.contains(0) }
        return (index ?? 0) + 1
    }
}

/// A file is no UTF-8, or holds a NUL.
public struct MalformedText: Error, Hashable {
    public let position: SourceText.Position
}
