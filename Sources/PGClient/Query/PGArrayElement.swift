public import FoundationEssentials

/// A Swift type whose arrays are arrays of PostgreSQL; `UInt8`, whose array is a bytea, is the exception, and `[[UInt8]]` is a `bytea[]`.
public protocol PGArrayElement: Sendable {
    static var pgArrayType: PGType { get }
    static func pgValue(ofArray elements: [Self]) -> PGValue
    static func pgArray(from cell: borrowing PGCell) throws(PGDecodingError) -> [Self]
    /// Whether arrays of `type` are read, asked of one that has no elements to tell. By default those of any type are.
    static func pgReadsArray(of type: PGType) -> Bool
}

extension PGArrayElement {
    public static func pgReadsArray(of type: PGType) -> Bool { true }
}

extension Array: PGEncodable where Element: PGArrayElement {
    public static var pgType: PGType { Element.pgArrayType }
    public var pgValue: PGValue { Element.pgValue(ofArray: self) }
}

extension Array: PGDecodable where Element: PGArrayElement {
    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) { self = try Element.pgArray(from: cell) }
}

extension UInt8: PGArrayElement {
    public static var pgArrayType: PGType { .bytea }

    public static func pgValue(ofArray elements: [UInt8]) -> PGValue {
        .binary(elements, type: .bytea)
    }

    public static func pgArray(from cell: borrowing PGCell) throws(PGDecodingError) -> [UInt8] {
        try cell.byteString()
    }
}

extension [UInt8]: PGArrayElement {
    public static var pgArrayType: PGType { .byteaArray }
    public static func pgReadsArray(of type: PGType) -> Bool { type == .bytea }
}

extension PGArrayElement where Self: PGEncodable & PGDecodable {
    public static func pgValue(ofArray elements: [Self]) -> PGValue {
        ArrayCoding.encode(elements.lazy.map(\.pgValue), elementType: Self.pgType, arrayType: Self.pgArrayType)
    }

    public static func pgArray(from cell: borrowing PGCell) throws(PGDecodingError) -> [Self] {
        try ArrayCoding.decode(cell)
    }
}

extension Bool: PGArrayElement {
    public static var pgArrayType: PGType { .boolArray }
    public static func pgReadsArray(of type: PGType) -> Bool { type == .bool }
}

extension Int16: PGArrayElement {
    public static var pgArrayType: PGType { .int2Array }
    public static func pgReadsArray(of type: PGType) -> Bool { type.isInteger }
}

extension Int32: PGArrayElement {
    public static var pgArrayType: PGType { .int4Array }
    public static func pgReadsArray(of type: PGType) -> Bool { type.isInteger }
}

extension Int64: PGArrayElement {
    public static var pgArrayType: PGType { .int8Array }
    public static func pgReadsArray(of type: PGType) -> Bool { type.isInteger }
}

extension Int: PGArrayElement {
    public static var pgArrayType: PGType { .int8Array }
    public static func pgReadsArray(of type: PGType) -> Bool { type.isInteger }
}

extension Float: PGArrayElement {
    public static var pgArrayType: PGType { .float4Array }
    public static func pgReadsArray(of type: PGType) -> Bool { type == .float4 }
}

extension Double: PGArrayElement {
    public static var pgArrayType: PGType { .float8Array }
    public static func pgReadsArray(of type: PGType) -> Bool { type == .float8 || type == .float4 }
}

extension String: PGArrayElement {
    public static var pgArrayType: PGType { .textArray }
    public static func pgReadsArray(of type: PGType) -> Bool { type.isText || type.isUserDefined }
}

extension UUID: PGArrayElement {
    public static var pgArrayType: PGType { .uuidArray }
    public static func pgReadsArray(of type: PGType) -> Bool { type == .uuid }
}

extension Date: PGArrayElement {
    public static var pgArrayType: PGType { .timestamptzArray }
    public static func pgReadsArray(of type: PGType) -> Bool {
        type == .timestamptz || type == .timestamp || type == .date
    }
}

/// Enums over `String` and the like, once they declare the conformance.
extension PGArrayElement where Self: RawRepresentable, RawValue: PGArrayElement {
    public static var pgArrayType: PGType { RawValue.pgArrayType }
    public static func pgReadsArray(of type: PGType) -> Bool { RawValue.pgReadsArray(of: type) }
}

/// Arrays with NULLs in them.
extension Optional: PGArrayElement where Wrapped: PGArrayElement & PGEncodable & PGDecodable {
    public static var pgArrayType: PGType { Wrapped.pgArrayType }
    public static func pgReadsArray(of type: PGType) -> Bool { Wrapped.pgReadsArray(of: type) }

    public static func pgValue(ofArray elements: [Self]) -> PGValue {
        ArrayCoding.encode(
            elements.lazy.map { $0?.pgValue ?? .null(Wrapped.pgType) },
            elementType: Wrapped.pgType,
            arrayType: Wrapped.pgArrayType
        )
    }

    public static func pgArray(from cell: borrowing PGCell) throws(PGDecodingError) -> [Self] {
        try ArrayCoding.decode(cell)
    }
}

/// The binary form of one-dimensional arrays: dimensions, has-nulls flag, element type, length, lower bound, elements.
enum ArrayCoding {
    static func encode(_ elements: some Collection<PGValue>, elementType: PGType, arrayType: PGType) -> PGValue {
        var out: [UInt8] = []
        out.reserveCapacity(20 + elements.count * 12)
        func append(_ value: Int32) { withUnsafeBytes(of: value.bigEndian) { out.append(contentsOf: $0) } }
        append(elements.isEmpty ? 0 : 1)
        append(elements.contains(where: \.isNull) ? 1 : 0)
        append(Int32(bitPattern: elementType.rawValue))
        guard !elements.isEmpty else { return .binary(out, type: arrayType) }
        guard let count = Int32(exactly: elements.count) else {
            return PGValue(type: arrayType, content: .invalid(reason: "an array has too many elements"))
        }
        append(count)
        append(1)
        for element in elements {
            if let defect = element.defect { return PGValue(type: arrayType, content: .invalid(reason: defect)) }
            guard !element.isNull else {
                append(-1)
                continue
            }
            withUnsafeTemporaryAllocation(byteCount: element.byteCount, alignment: 1) { buffer in
                let count = element.write(to: buffer)
                append(Int32(count))
                out.append(contentsOf: buffer[..<count])
            }
        }
        return .binary(out, type: arrayType)
    }

    static func decode<Element: PGArrayElement & PGDecodable>(
        _ cell: borrowing PGCell
    ) throws(PGDecodingError) -> [Element] {
        guard let bytes = cell.bytes else { throw PGDecodingError("the value is NULL") }
        guard cell.format == .binary else {
            throw PGDecodingError("the text form of an array is not read; use query instead of simpleQuery")
        }
        var offset = 0
        func next() throws(PGDecodingError) -> Int32 {
            guard bytes.count - offset >= 4 else { throw PGDecodingError("the value is no array") }
            defer { offset += 4 }
            return Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
        }
        // Whatever its bytes say.
        guard cell.type != .bytea else { throw cell.mismatch([Element].self) }
        let (dimensions, nullFlag) = (try next(), try next())
        let elementType = PGType(rawValue: UInt32(bitPattern: try next()))
        // array.h: MAXDIM
        guard (0...6).contains(dimensions), (0...1).contains(nullFlag) else {
            throw PGDecodingError("the value is no array")
        }
        guard dimensions <= 1 else { throw PGDecodingError("an array of \(dimensions) dimensions is not read") }
        let count = dimensions == 0 ? 0 : Int(try next())
        if dimensions == 1 { _ = try next() }
        // An element takes four bytes or more, so a length that was made up reserves no more than the value's own size.
        guard count >= 0, count <= bytes.count / 4 else { throw PGDecodingError("the value is no array") }
        var elements: [Element] = []
        elements.reserveCapacity(count)
        for _ in 0..<count {
            let length = Int(try next())
            guard length <= bytes.count - offset else { throw PGDecodingError("the value is no array") }
            let slice = length < 0 ? nil : UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
            elements.append(try Element(pgCell: PGCell(type: elementType, format: .binary, bytes: slice)))
            offset += max(length, 0)
        }
        guard offset == bytes.count else { throw PGDecodingError("the value is no array") }
        guard count > 0 || Element.pgReadsArray(of: elementType) else { throw cell.mismatch([Element].self) }
        return elements
    }
}
