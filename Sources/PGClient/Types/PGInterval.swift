/// An `interval`: months, days and microseconds, which PostgreSQL keeps apart because months and days differ in length.
public struct PGInterval: Hashable, Sendable {
    public var months: Int32
    public var days: Int32
    public var microseconds: Int64

    public init(months: Int32 = 0, days: Int32 = 0, microseconds: Int64 = 0) {
        (self.months, self.days, self.microseconds) = (months, days, microseconds)
    }

    /// From PostgreSQL 17 on.
    public static let infinity = PGInterval(months: .max, days: .max, microseconds: .max)
    public static let negativeInfinity = PGInterval(months: .min, days: .min, microseconds: .min)
}

/// ISO 8601 with designators, as PostgreSQL writes and reads it when `intervalstyle` is `iso_8601`: `P1Y2M3DT4H5M6.7S`.
extension PGInterval: CustomStringConvertible {
    public var description: String {
        if self == .infinity { return "infinity" }
        if self == .negativeInfinity { return "-infinity" }
        var date = ""
        if self.months / 12 != 0 { date += "\(self.months / 12)Y" }
        if self.months % 12 != 0 { date += "\(self.months % 12)M" }
        if self.days != 0 { date += "\(self.days)D" }
        let (wholeMinutes, rest) = self.microseconds.quotientAndRemainder(dividingBy: 60_000_000)
        var time = ""
        if wholeMinutes / 60 != 0 { time += "\(wholeMinutes / 60)H" }
        if wholeMinutes % 60 != 0 { time += "\(wholeMinutes % 60)M" }
        if rest != 0 {
            let fraction = String(rest.magnitude % 1_000_000 + 1_000_000).dropFirst()
            let digits = fraction.reversed().drop { $0 == "0" }.reversed()
            time += (rest < 0 ? "-" : "") + String(rest.magnitude / 1_000_000)
            time += digits.isEmpty ? "S" : "." + String(digits) + "S"
        }
        if date.isEmpty && time.isEmpty { time = "0S" }
        return "P" + date + (time.isEmpty ? "" : "T" + time)
    }
}

extension PGInterval: PGEncodable, PGDecodable {
    public static var pgType: PGType { .interval }

    public var pgValue: PGValue {
        var bytes: [UInt8] = []
        withUnsafeBytes(of: self.microseconds.bigEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: self.days.bigEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: self.months.bigEndian) { bytes.append(contentsOf: $0) }
        return .binary(bytes, type: .interval)
    }

    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) {
        guard let bytes = cell.bytes else { throw PGDecodingError("the value is NULL") }
        guard cell.type == .interval else { throw cell.mismatch(Self.self) }
        guard cell.format == .binary, bytes.count == 16 else { throw cell.textIsNotRead(Self.self) }
        self.init(
            months: Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 12, as: Int32.self)),
            days: Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: Int32.self)),
            microseconds: Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
        )
    }
}

extension PGInterval: PGArrayElement {
    public static var pgArrayType: PGType { .intervalArray }
    public static func pgReadsArray(of type: PGType) -> Bool { type == .interval }
}

/// An `interval` of microseconds alone, rounded towards zero. Reading throws when it has months or days, whose length is not fixed.
extension Duration: PGEncodable, PGDecodable, PGArrayElement {
    public static var pgType: PGType { .interval }
    public static var pgArrayType: PGType { .intervalArray }
    public static func pgReadsArray(of type: PGType) -> Bool { type == .interval }

    public var pgValue: PGValue {
        let (seconds, attoseconds) = self.components
        let (whole, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (microseconds, isPast) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        guard !isTooLong, !isPast else {
            return PGValue(type: .interval, content: .invalid(reason: "a duration is longer than what interval holds"))
        }
        return PGInterval(microseconds: microseconds).pgValue
    }

    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) {
        let interval = try PGInterval(pgCell: cell)
        guard interval.months == 0, interval.days == 0 else {
            throw PGDecodingError("an interval with days or months has no fixed length; PGInterval can hold it")
        }
        self = .microseconds(interval.microseconds)
    }
}
