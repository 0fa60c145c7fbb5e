/// One value of a result, readable for as long as it is borrowed.
public struct PGCell: ~Copyable {
    public let type: PGType
    public let format: PGValue.Format
    @usableFromInline let bytes: UnsafeRawBufferPointer?

    init(type: PGType, format: PGValue.Format, bytes: UnsafeRawBufferPointer?) {
        self.type = type
        self.format = format
        self.bytes = bytes
    }

    @inlinable public var isNull: Bool { self.bytes == nil }

    /// Lends the bytes of the value, in `format`; they must not be kept. Throws when the value is NULL.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws(PGDecodingError) -> R) throws(PGDecodingError) -> R
    {
        guard let bytes = self.bytes else { throw PGDecodingError("the value is NULL") }
        return try body(bytes)
    }

    func textIsNotRead(_ target: Any.Type) -> PGDecodingError {
        self.format == .text
            ? PGDecodingError(
                "the text form of \(self.type) is not read as \(target); use query instead of simpleQuery")
            : self.mismatch(target)
    }

    func mismatch(_ target: Any.Type) -> PGDecodingError {
        PGDecodingError("a value of type \(self.type) cannot be read as \(target)")
    }
}

extension PGCell {
    /// The value's text, when it was sent as text or its type's binary form is text.
    func string(_ target: Any.Type) throws(PGDecodingError) -> String {
        guard var bytes = self.bytes else { throw PGDecodingError("the value is NULL") }
        if self.format == .binary {
            switch self.type {
            case .jsonb:
                guard bytes.first == 1 else { throw PGDecodingError("an unknown version of jsonb") }
                bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
            case let type where type.isText:
                break
            default:
                // The labels of enums and the values of citext are text too; what is not text has NUL bytes or is no UTF-8.
                guard self.type.isUserDefined, !bytes.contains(0),
                    let string = String(validating: bytes, as: UTF8.self)
                else { throw self.mismatch(target) }
                return string
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// An integer of any width that fits into `Target`.
    func integer<Target: FixedWidthInteger & SignedInteger>(_: Target.Type) throws(PGDecodingError) -> Target {
        guard let bytes = self.bytes else { throw PGDecodingError("the value is NULL") }
        let wide: Int64
        if self.format == .text {
            guard let parsed = Int64(String(decoding: bytes, as: UTF8.self)) else { throw self.mismatch(Target.self) }
            wide = parsed
        } else {
            switch (self.type, bytes.count) {
            case (.int8, 8): wide = Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
            case (.int4, 4): wide = Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
            case (.int2, 2): wide = Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
            case (.oid, 4): wide = Int64(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
            default: throw self.mismatch(Target.self)
            }
        }
        guard let value = Target(exactly: wide) else {
            throw PGDecodingError("\(wide) does not fit into \(Target.self)")
        }
        return value
    }
}
