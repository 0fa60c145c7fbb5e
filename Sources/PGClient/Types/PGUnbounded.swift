public import FoundationEssentials

/// A type of PostgreSQL that has `infinity` and `-infinity` where its Swift counterpart has not.
public protocol PGUnboundable: PGEncodable, PGDecodable {
    /// The values that mean `-infinity` and `infinity`.
    static var pgInfinities: (negative: PGValue, positive: PGValue) { get }
    /// Reads a finite value, or says which end of time it is.
    static func pgUnbounded(from cell: borrowing PGCell) throws(PGDecodingError) -> PGUnbounded<Self>
}

/// A point in time, or one of the ends of time: `PGUnbounded<Date>` for a `timestamptz` that may be `infinity`.
public enum PGUnbounded<Value: PGUnboundable>: PGEncodable, PGDecodable {
    case negativeInfinity
    case finite(Value)
    case infinity

    public static var pgType: PGType { Value.pgType }

    public var pgValue: PGValue {
        switch self {
        case .negativeInfinity: Value.pgInfinities.negative
        case .finite(let value): value.pgValue
        case .infinity: Value.pgInfinities.positive
        }
    }

    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) {
        self = try Value.pgUnbounded(from: cell)
    }
}

extension PGUnbounded: Equatable where Value: Equatable {}

extension PGUnbounded: PGArrayElement where Value: PGArrayElement {
    public static var pgArrayType: PGType { Value.pgArrayType }
    public static func pgReadsArray(of type: PGType) -> Bool { Value.pgReadsArray(of: type) }
}

extension PGDate: PGUnboundable {
    public static var pgInfinities: (negative: PGValue, positive: PGValue) {
        (.integer(Int32.min, type: .date), .integer(Int32.max, type: .date))
    }

    public static func pgUnbounded(from cell: borrowing PGCell) throws(PGDecodingError) -> PGUnbounded<PGDate> {
        guard let bytes = cell.bytes else { throw PGDecodingError("the value is NULL") }
        guard cell.type == .date else { throw cell.mismatch(Self.self) }
        guard cell.format == .binary, bytes.count == 4 else { throw cell.textIsNotRead(Self.self) }
        switch Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)) {
        case .max: return .infinity
        case .min: return .negativeInfinity
        case let days: return .finite(PGDate(daysSince2000: Int(days)))
        }
    }
}

extension Date: PGUnboundable {
    public static var pgInfinities: (negative: PGValue, positive: PGValue) {
        (.integer(Int64.min, type: .timestamptz), .integer(Int64.max, type: .timestamptz))
    }

    public static func pgUnbounded(from cell: borrowing PGCell) throws(PGDecodingError) -> PGUnbounded<Date> {
        if let bytes = cell.bytes, cell.format == .binary {
            switch (cell.type, bytes.count) {
            case (.timestamptz, 8), (.timestamp, 8):
                let value = Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
                if value == .max { return .infinity }
                if value == .min { return .negativeInfinity }
            case (.date, 4):
                let days = Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))
                if days == .max { return .infinity }
                if days == .min { return .negativeInfinity }
            default:
                break
            }
        }
        return .finite(try Date(pgCell: cell))
    }
}
