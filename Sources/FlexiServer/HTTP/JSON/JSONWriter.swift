import FoundationEssentials
import NIOCore

/// Writes JSON text straight into a buffer. Objects and arrays are closures, so brackets always match:
///
/// ```swift
/// json.object { json in
///     json.member("id", account.id.rawValue)
///     json.member("types") { json in
///         json.array(account.types) { json, type in json.value(type) }
///     }
/// }
/// ```
struct JSONWriter {
    private(set) var buffer: ByteBuffer
    /// Whether something stands before the next member or element, so that a comma is due.
    private var needsComma = false

    init(capacity: Int = 512) {
        self.buffer = ByteBufferAllocator().buffer(capacity: capacity)
    }

    // MARK: Containers

    mutating func object(_ members: (inout JSONWriter) throws -> Void) rethrows {
        try self.container("{", "}", members)
    }

    mutating func array<Elements: Sequence>(
        _ elements: Elements, _ write: (inout JSONWriter, Elements.Element) throws -> Void
    ) rethrows {
        try self.container("[", "]") { json in
            for element in elements {
                json.comma()
                json.needsComma = false
                try write(&json, element)
                json.needsComma = true
            }
        }
    }

    private mutating func container(
        _ open: StaticString, _ close: StaticString, _ content: (inout JSONWriter) throws -> Void
    ) rethrows {
        self.buffer.writeStaticString(open)
        self.needsComma = false
        try content(&self)
        self.buffer.writeStaticString(close)
        self.needsComma = true
    }

    // MARK: Members

    /// A member whose value `write` writes: exactly one.
    mutating func member(_ name: StaticString, _ write: (inout JSONWriter) throws -> Void) rethrows {
        self.name(name)
        try write(&self)
        self.needsComma = true
    }

    mutating func member(_ name: StaticString, _ value: String?) {
        self.name(name)
        self.value(value)
    }

    mutating func member(_ name: StaticString, _ value: (some BinaryInteger)?) {
        self.name(name)
        self.value(value)
    }

    mutating func member(_ name: StaticString, _ value: Bool?) {
        self.name(name)
        self.value(value)
    }

    mutating func member(_ name: StaticString, _ value: some JSONWritable) {
        self.name(name)
        value.write(to: &self)
        self.needsComma = true
    }

    mutating func nullMember(_ name: StaticString) {
        self.name(name)
        self.null()
    }

    /// A member whose name is only known at run time.
    mutating func member(named name: String, _ write: (inout JSONWriter) throws -> Void) rethrows {
        self.comma()
        self.escaped(name)
        self.buffer.writeStaticString(":")
        try write(&self)
        self.needsComma = true
    }

    /// Names in our sources need no escape.
    private mutating func name(_ name: StaticString) {
        self.buffer.writeStaticString(self.needsComma ? ",\"" : "\"")
        self.buffer.writeStaticString(name)
        self.buffer.writeStaticString("\":")
    }

    private mutating func comma() {
        if self.needsComma { self.buffer.writeStaticString(",") }
    }

    // MARK: Values

    mutating func value(_ value: String?) {
        if let value { self.escaped(value) } else { self.null() }
        self.needsComma = true
    }

    mutating func value(_ value: (some BinaryInteger)?) {
        if let value { self.buffer.writeString(String(value)) } else { self.null() }
        self.needsComma = true
    }

    mutating func value(_ value: Bool?) {
        switch value {
        case true?: self.buffer.writeStaticString("true")
        case false?: self.buffer.writeStaticString("false")
        case nil: self.buffer.writeStaticString("null")
        }
        self.needsComma = true
    }

    mutating func null() {
        self.buffer.writeStaticString("null")
        self.needsComma = true
    }

    /// Escapes what RFC 8259, section 7 asks for, and nothing else.
    private mutating func escaped(_ text: String) {
        var text = text
        self.buffer.writeStaticString("\"")
        text.withUTF8 { bytes in
            if bytes.contains(where: Self.needsEscape) {
                for byte in bytes { self.escaped(byte) }
            } else {
                self.buffer.writeBytes(bytes)
            }
        }
        self.buffer.writeStaticString("\"")
    }

    private mutating func escaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): self.buffer.writeStaticString("\\\"")
        case UInt8(ascii: "\\"): self.buffer.writeStaticString("\\\\")
        case 0x0A: self.buffer.writeStaticString("\\n")
        case 0x0D: self.buffer.writeStaticString("\\r")
        case 0x09: self.buffer.writeStaticString("\\t")
        case 0..<0x20:
            self.buffer.writeStaticString("\\u00")
            self.buffer.writeString(byte < 0x10 ? "0" : "1")
            self.buffer.writeString(String(byte & 0x0F, radix: 16))
        default: self.buffer.writeInteger(byte)
        }
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }
}
