import FoundationEssentials
import Glibc
import PGClient

/// Why a run ended before its end, in words for the person who ran it.
public struct MigrationFailure: Error, Sendable, Hashable {
    /// The raw value is the exit code of `migrate`.
    public enum Kind: Int32, Sendable {
        case failed = 1
        case usage = 2
        case pending = 3
        /// The files and the ledger contradict each other.
        case drift = 4
        case lockWait = 5
        case unreachable = 6
        case interrupted = 8
        /// Stopped half-way, in a state that only a person can judge.
        case manual = 9
    }

    /// A place in a file, with its line for the reader to look at.
    public struct Place: Sendable, Hashable {
        public let fileName: String
        public let position: SourceText.Position
        public let line: String

        public init(_ file: MigrationFile, _ position: SourceText.Position) {
            self.fileName = file.fileName
            self.position = position
            self.line = file.source.line(position.line)
        }

        init(fileName: String, position: SourceText.Position, line: String = "") {
            self.fileName = fileName
            self.position = position
            self.line = line
        }
    }

    public let kind: Kind
    public let message: String
    public internal(set) var place: Place?
    public internal(set) var fileName: String?
    public internal(set) var sqlState: String?
    public internal(set) var detail: String?
    public internal(set) var hint: String?
    public internal(set) var context: String?

    public init(_ kind: Kind, _ message: String, place: Place? = nil, hint: String? = nil) {
        self.kind = kind
        self.message = message
        self.place = place
        self.fileName = place?.fileName
        self.hint = hint
    }

    /// What the system said of a file or a directory.
    public init(_ kind: Kind, _ message: String, system error: any Error, hint: String? = nil) {
        let reason = error.posixCode.map { String(cString: strerror($0.rawValue)) }
        self.init(kind, "\(message): \(reason ?? "\(error)")", hint: hint)
    }

    /// What the server said of a statement of a file.
    init(_ error: PGError, in statement: SQLLexer.Statement, of file: MigrationFile) {
        self.init(error)
        let position = error.position.map {
            file.source.position(ofCharacter: $0, inPartFromByte: statement.bytes.lowerBound)
        }
        self.fileName = file.fileName
        self.place = Place(file, position ?? statement.position)
    }

    /// What the server or the connection said outside any file.
    init(_ error: PGError, kind: Kind = .failed) {
        self.init(kind, error.message)
        self.sqlState = error.sqlState
        self.detail = error.detail
        self.hint = error.hint
        self.context = error.context
        if error.code == .commitInDoubt {
            self.hint = "Run migrate again: the ledger tells whether the file was applied."
        }
    }
}

extension Error {
    /// What the system gave as its reason, of an error of Foundation's.
    var posixCode: POSIXErrorCode? { ((self as? CocoaError)?.underlying as? POSIXError)?.code }
}

extension MigrationFailure: CustomStringConvertible {
    /// As compilers write it: place, message, the line with a caret below, then what else the server said.
    public var description: String {
        var heading = ""
        if let place {
            heading = "\(place.fileName):\(place.position.line):\(place.position.column): "
        } else if let fileName {
            heading = "\(fileName): "
        }
        var lines = [heading + "error: " + self.message + (self.sqlState.map { " (SQLSTATE \($0))" } ?? "")]
        if let place, !place.line.isEmpty {
            lines.append(place.line)
            lines.append(place.caret)
        }
        if let detail { lines.append("DETAIL: " + detail) }
        if let hint { lines.append("HINT: " + hint) }
        if let context { lines.append("CONTEXT: " + context) }
        return lines.joined(separator: "\n")
    }
}

extension MigrationFailure {
    /// As a part of a longer text.
    var sentence: String { [self.message, self.hint].compactMap(\.self).joined(separator: ". ") }
}

extension MigrationFailure.Place {
    /// A caret below the character that is meant, on a terminal that gives East Asian characters two columns.
    var caret: String {
        let before = self.line.unicodeScalars.prefix(self.position.column - 1)
        return before.reduce(into: "") { $0 += $1 == "\t" ? "\t" : String(repeating: " ", count: $1.terminalWidth) }
            + "^"
    }
}

extension Unicode.Scalar {
    fileprivate var terminalWidth: Int {
        switch self.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        switch self.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
