/// Reads a JSON text (RFC 8259) strictly: one value, UTF-8, no member twice, at most `maximumDepth` containers inside
/// each other.
struct JSONParser {
    enum Failure: Error {
        case malformed
        case tooDeep
        case tooManyMembers
        case duplicate(member: String)
    }

    static let maximumDepth = 32
    /// Looking for members of one name is linear, so their number is bounded.
    static let maximumMembers = 256

    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var depth = 0

    private init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    static func parse(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> JSONValue {
        var parser = JSONParser(bytes)
        let value = try parser.value()
        parser.skipSpace()
        guard parser.position == bytes.count else { throw .malformed }
        return value
    }

    // MARK: Values

    private mutating func value() throws(Failure) -> JSONValue {
        self.skipSpace()
        switch self.peek() {
        case UInt8(ascii: "{"): return try self.nested { (parser) throws(Failure) in try parser.object() }
        case UInt8(ascii: "["): return try self.nested { (parser) throws(Failure) in try parser.array() }
        case UInt8(ascii: "\""): return try .string(self.string())
        case UInt8(ascii: "t"): return try self.word("true", .bool(true))
        case UInt8(ascii: "f"): return try self.word("false", .bool(false))
        case UInt8(ascii: "n"): return try self.word("null", .null)
        default: return try self.number()
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(Failure) -> JSONValue
    ) throws(Failure) -> JSONValue {
        guard self.depth < Self.maximumDepth else { throw .tooDeep }
        self.depth += 1
        self.position += 1
        let value = try body(&self)
        self.depth -= 1
        return value
    }

    private mutating func object() throws(Failure) -> JSONValue {
        var object = JSONObject()
        self.skipSpace()
        if self.take(UInt8(ascii: "}")) { return .object(object) }
        repeat {
            self.skipSpace()
            guard self.peek() == UInt8(ascii: "\"") else { throw .malformed }
            guard object.members.count < Self.maximumMembers else { throw .tooManyMembers }
            let name = try self.string()
            self.skipSpace()
            guard self.take(UInt8(ascii: ":")) else { throw .malformed }
            guard try object.append(name, self.value()) else { throw .duplicate(member: name) }
            self.skipSpace()
        } while self.take(UInt8(ascii: ","))
        guard self.take(UInt8(ascii: "}")) else { throw .malformed }
        return .object(object)
    }

    private mutating func array() throws(Failure) -> JSONValue {
        var elements: [JSONValue] = []
        self.skipSpace()
        if self.take(UInt8(ascii: "]")) { return .array(elements) }
        repeat {
            try elements.append(self.value())
            self.skipSpace()
        } while self.take(UInt8(ascii: ","))
        guard self.take(UInt8(ascii: "]")) else { throw .malformed }
        return .array(elements)
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
        let end = self.position + word.utf8CodeUnitCount
        guard end <= self.bytes.count,
            self.bytes[self.position..<end].elementsEqual(
                UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
        else { throw .malformed }
        self.position = end
        return value
    }

    /// Grammar of RFC 8259, section 6: no leading zero, no sign but minus, digits on both sides of the point.
    private mutating func number() throws(Failure) -> JSONValue {
        let start = self.position
        _ = self.take(UInt8(ascii: "-"))
        if !self.take(UInt8(ascii: "0")) { try self.digits() }
        var isInteger = true
        if self.take(UInt8(ascii: ".")) {
            isInteger = false
            try self.digits()
        }
        if self.take(UInt8(ascii: "e")) || self.take(UInt8(ascii: "E")) {
            isInteger = false
            if !self.take(UInt8(ascii: "-")) { _ = self.take(UInt8(ascii: "+")) }
            try self.digits()
        }
        let text = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
        if isInteger, let integer = Int64(text) { return .integer(integer) }
        guard let decimal = Double(text) else { throw .malformed }
        return .decimal(decimal)
    }

    private mutating func digits() throws(Failure) {
        let start = self.position
        while let byte = self.peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { self.position += 1 }
        guard self.position > start else { throw .malformed }
    }

    // MARK: Strings

    private mutating func string() throws(Failure) -> String {
        self.position += 1
        let start = self.position
        while let byte = self.peek() {
            switch byte {
            case UInt8(ascii: "\""):
                defer { self.position += 1 }
                return try self.text(self.bytes[start..<self.position])
            case UInt8(ascii: "\\"): return try self.escapedString(from: start)
            case 0..<0x20: throw .malformed
            default: self.position += 1
            }
        }
        throw .malformed
    }

    /// Goes on from the first escape, collecting what it means.
    private mutating func escapedString(from start: Int) throws(Failure) -> String {
        var unescaped = Array(self.bytes[start..<self.position])
        while let byte = self.peek() {
            self.position += 1
            switch byte {
            case UInt8(ascii: "\""):
                return try self.text(unescaped)
            case UInt8(ascii: "\\"): try self.escape(into: &unescaped)
            case 0..<0x20: throw .malformed
            default: unescaped.append(byte)
            }
        }
        throw .malformed
    }

    private mutating func escape(into unescaped: inout [UInt8]) throws(Failure) {
        guard let letter = self.peek() else { throw .malformed }
        self.position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(letter)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0C)
        case UInt8(ascii: "n"): unescaped.append(0x0A)
        case UInt8(ascii: "r"): unescaped.append(0x0D)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"): try unescaped.append(contentsOf: String(Character(self.escapedScalar())).utf8)
        default: throw .malformed
        }
    }

    /// The digits after `\u`, and those of a low surrogate that must follow a high one.
    private mutating func escapedScalar() throws(Failure) -> Unicode.Scalar {
        let first = try self.codeUnit()
        guard UTF16.isLeadSurrogate(first) else {
            guard let scalar = Unicode.Scalar(first) else { throw .malformed }
            return scalar
        }
        guard self.take(UInt8(ascii: "\\")), self.take(UInt8(ascii: "u")) else { throw .malformed }
        let second = try self.codeUnit()
        guard UTF16.isTrailSurrogate(second) else { throw .malformed }
        let value = 0x10000 + ((UInt32(first) - 0xD800) << 10) + (UInt32(second) - 0xDC00)
        guard let scalar = Unicode.Scalar(value) else { throw .malformed }
        return scalar
    }

    private mutating func codeUnit() throws(Failure) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = self.peek().flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
                throw .malformed
            }
            unit = unit << 4 | UInt16(digit)
            self.position += 1
        }
        return unit
    }

    private func text(_ bytes: some Collection<UInt8>) throws(Failure) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .malformed }
        return text
    }

    // MARK: Bytes

    private func peek() -> UInt8? {
        self.position < self.bytes.count ? self.bytes[self.position] : nil
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard self.peek() == byte else { return false }
        self.position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = self.peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            self.position += 1
        }
    }
}
