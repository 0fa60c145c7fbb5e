extension Bool: PGDecodable {
    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) {
        guard let bytes = cell.bytes else { throw PGDecodingError("the value is NULL") }
        guard cell.type == .bool, bytes.count == 1 else { throw cell.mismatch(Self.self) }
        self = cell.format == .binary ? bytes[0] != 0 : bytes[0] == UInt8(ascii: "t")
    }
}

extension Int16: PGDecodable {
    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) { self = try cell.integer(Self.self) }
}

extension Int32: PGDecodable {
    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) { self = try cell.integer(Self.self) }
}

extension Int64: PGDecodable {
    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) { self = try cell.integer(Self.self) }
}

extension Int: PGDecodable {
    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) { self = try cell.integer(Self.self) }
}

extension Float: PGDecodable {
    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) {
        guard let bytes = cell.bytes else { throw PGDecodingError("the value is NULL") }
        if cell.format == .binary {
            guard cell.type == .float4, bytes.count == 4 else { throw cell.mismatch(Self.self) }
            self = Float(bitPattern: UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
        } else {
            guard let value = Float(String(decoding: bytes, as: UTF8.self)) else { throw cell.mismatch(Self.self) }
            self = value
        }
    }
}

extension Double: PGDecodable {
    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) {
        guard let bytes = cell.bytes else { throw PGDecodingError("the value is NULL") }
        switch (cell.format, cell.type, bytes.count) {
        case (.binary, .float8, 8):
            self = Double(bitPattern: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)))
        case (.binary, .float4, 4):
            self = Double(Float(bitPattern: UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))))
        case (.text, _, _):
            guard let value = Double(String(decoding: bytes, as: UTF8.self)) else { throw cell.mismatch(Self.self) }
            self = value
        default:
            throw cell.mismatch(Self.self)
        }
    }
}

/// Reads the text types, json and jsonb; from `simpleQuery`, where every value is text, any type.
extension String: PGDecodable {
    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) { self = try cell.string(Self.self) }
}
