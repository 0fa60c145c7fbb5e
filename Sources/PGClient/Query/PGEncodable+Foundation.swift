public import FoundationEssentials

extension UUID: PGEncodable, PGDecodable {
    public static var pgType: PGType { .uuid }

    public var pgValue: PGValue {
        withUnsafeBytes(of: self.uuid) { .binary([UInt8]($0), type: .uuid) }
    }

    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) {
        guard let bytes = cell.bytes else { throw PGDecodingError("the value is NULL") }
        guard cell.type == .uuid else { throw cell.mismatch(Self.self) }
        if cell.format == .binary {
            guard bytes.count == 16 else { throw cell.mismatch(Self.self) }
            self = UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
        } else {
            guard let value = UUID(uuidString: String(decoding: bytes, as: UTF8.self)) else {
                throw cell.mismatch(Self.self)
            }
            self = value
        }
    }
}

/// A `timestamptz`, to the microsecond. Also reads `timestamp`, as UTC, and `date`, as its midnight in UTC.
///
/// Where a `timestamp` is wanted, the server makes one by the time zone of the session. `\(date) AT TIME ZONE 'UTC'` in the SQL makes the one
/// that is read as the same `Date`.
///
/// `infinity` and `-infinity` are not read: a column that may hold them is read as `PGUnbounded<Date>`.
extension Date: PGEncodable, PGDecodable {
    public static var pgType: PGType { .timestamptz }

    /// From 2001-01-01, where `Date` counts from, back to 2000-01-01, where PostgreSQL does.
    private static let epochOffset: Int64 = 366 * 86_400
    /// The range of PostgreSQL's timestamps (MIN_TIMESTAMP, END_TIMESTAMP) in seconds from 2001-01-01.
    private static let storable = -211_845_110_400.0..<9_223_339_708_800.0

    public var pgValue: PGValue {
        let seconds = self.timeIntervalSinceReferenceDate
        guard Self.storable.contains(seconds) else {
            return PGValue(
                type: .timestamptz, content: .invalid(reason: "a date lies outside of what timestamptz holds"))
        }
        let whole = seconds.rounded(.down)
        let microseconds = Int64(((seconds - whole) * 1_000_000).rounded())
        return .integer((Int64(whole) + Self.epochOffset) * 1_000_000 + microseconds, type: .timestamptz)
    }

    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) {
        guard let bytes = cell.bytes else { throw PGDecodingError("the value is NULL") }
        guard cell.format == .binary else { throw cell.textIsNotRead(Self.self) }
        switch (cell.type, bytes.count) {
        case (.timestamptz, 8), (.timestamp, 8):
            let value = Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
            guard value != .max, value != .min else { throw PGDecodingError("an infinite time cannot be read as Date") }
            // Whole seconds and the rest apart: a Double has no room for both in one product.
            let (whole, rest) = value.quotientAndRemainder(dividingBy: 1_000_000)
            self.init(timeIntervalSinceReferenceDate: Double(whole - Self.epochOffset) + Double(rest) / 1_000_000)
        case (.date, 4):
            let days = Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))
            guard days != .max, days != .min else { throw PGDecodingError("an infinite date cannot be read as Date") }
            self.init(timeIntervalSinceReferenceDate: Double(Int64(days) * 86_400 - Self.epochOffset))
        default:
            throw cell.mismatch(Self.self)
        }
    }
}
