import Glibc

/// One parameter of a query: its type, its wire format, and its bytes or NULL.
public struct PGValue: Sendable {
    public enum Format: Int32, Sendable {
        case text = 0
        case binary = 1
    }

    enum Content: Sendable {
        case null
        /// Up to eight bytes in network order, kept in the most significant end.
        case word(UInt64, count: Int)
        /// The UTF-8 bytes; for PostgreSQL's text types these are also their binary form.
        case string(String)
        case bytes([UInt8])
        /// A Swift value that PostgreSQL cannot hold; sending it throws `PGError` with code `invalidParameter`.
        case invalid(reason: String)
    }

    public let type: PGType
    public let format: Format
    let content: Content

    init(type: PGType, format: Format = .binary, content: Content) {
        self.type = type
        self.format = format
        self.content = content
    }

    /// A NULL that keeps its type, so that the server need not guess it.
    public static func null(_ type: PGType) -> PGValue {
        PGValue(type: type, content: .null)
    }

    /// A value in the binary form of its type.
    public static func binary(_ bytes: [UInt8], type: PGType) -> PGValue {
        PGValue(type: type, content: .bytes(bytes))
    }

    /// A value in its text form, as one would write it between quotes in SQL.
    public static func text(_ text: String, type: PGType) -> PGValue {
        PGValue(type: type, format: .text, content: .string(text))
    }

    public var isNull: Bool {
        if case .null = self.content { true } else { false }
    }
}

extension PGValue {
    static func integer(_ value: some FixedWidthInteger, type: PGType) -> PGValue {
        let size = value.bitWidth / 8
        let word = UInt64(truncatingIfNeeded: value) << UInt64(64 - value.bitWidth)
        return PGValue(type: type, content: .word(word, count: size))
    }

    /// How many bytes the value takes in the buffer that is handed to libpq; text ends with a NUL there.
    var byteCount: Int {
        switch self.content {
        case .null, .invalid: 0
        case .word(_, let count): count
        case .string(let string): string.utf8.count + 1
        case .bytes(let bytes): bytes.count + (self.format == .text ? 1 : 0)
        }
    }

    /// Writes the bytes at the start of `buffer` and says how many, a closing NUL not counted.
    func write(to buffer: UnsafeMutableRawBufferPointer) -> Int {
        switch self.content {
        case .null, .invalid:
            return 0
        case .word(let word, let count):
            withUnsafeBytes(of: word.bigEndian) {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count]))
            }
            return count
        case .string(var string):
            return string.withUTF8 { utf8 in
                buffer.copyMemory(from: UnsafeRawBufferPointer(utf8))
                buffer[utf8.count] = 0
                return utf8.count
            }
        case .bytes(let bytes):
            bytes.withUnsafeBytes { buffer.copyMemory(from: $0) }
            if self.format == .text { buffer[bytes.count] = 0 }
            return bytes.count
        }
    }

    /// Why PostgreSQL would not, or not faithfully, take this value; nil when it is fine.
    var defect: String? {
        switch self.content {
        case .invalid(let reason):
            reason
        case .string(let string) where string.holdsNUL:
            "a text value holds a NUL character, which PostgreSQL cannot store"
        case .bytes(let bytes) where self.format == .text && bytes.contains(0):
            "a text value holds a NUL character, which PostgreSQL cannot store"
        default:
            nil
        }
    }
}

extension String {
    /// A C string would end there.
    var holdsNUL: Bool {
        self.utf8.withContiguousStorageIfAvailable { utf8 in
            guard let start = utf8.baseAddress else { return false }
            return memchr(start, 0, utf8.count) != nil
        } ?? self.utf8.contains(0)
    }
}
