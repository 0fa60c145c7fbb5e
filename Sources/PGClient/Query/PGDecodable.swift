/// A Swift type that can be read from a column of a result.
public protocol PGDecodable {
    /// Reads the cell; throws when it is NULL, of another type, or holds a value that `Self` cannot.
    init(pgCell cell: borrowing PGCell) throws(PGDecodingError)
}

/// Why a value could not be read; `PGRow` adds the column's name and throws it on as `PGError`.
public struct PGDecodingError: Error, Sendable {
    public let reason: String

    public init(_ reason: String) {
        self.reason = reason
    }
}

/// NULL is nil.
extension Optional: PGDecodable where Wrapped: PGDecodable {
    @inlinable
    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) {
        if cell.isNull {
            self = nil
        } else {
            self = try Wrapped(pgCell: cell)
        }
    }
}

extension PGDecodable where Self: RawRepresentable, RawValue: PGDecodable {
    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) {
        let raw = try RawValue(pgCell: cell)
        guard let value = Self(rawValue: raw) else {
            throw PGDecodingError("the value is no case of \(Self.self)")
        }
        self = value
    }
}
