/// A `date`: a day of the Gregorian calendar, without a time and a zone.
public struct PGDate: Hashable, Sendable, Comparable {
    /// As astronomers count: 0 is 1 BC, -1 is 2 BC.
    public let year: Int
    public let month: Int
    public let day: Int

    /// Nil when there is no such day, or PostgreSQL has no room for it (before 4714-11-24 BC, after 5874897).
    public init?(year: Int, month: Int, day: Int) {
        guard (-4_713...5_874_897).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
        let candidate = PGDate(unchecked: (year, month, day))
        let days = candidate.daysSince2000
        // A day that does not exist comes back as another one.
        guard Self.storable.contains(days), PGDate(daysSince2000: days) == candidate else { return nil }
        self = candidate
    }

    private init(unchecked date: (year: Int, month: Int, day: Int)) {
        (self.year, self.month, self.day) = date
    }

    /// What PostgreSQL can hold, in days from 2000-01-01.
    private static let storable = -2_451_545...2_145_031_948

    /// From 0000-03-01, where the calculation counts from, to 2000-01-01.
    private static let offset = 730_425

    // Both ways count years from March, so that the leap day is the last of a year, in eras of 400 years of 146,097 days.

    var daysSince2000: Int {
        let year = self.month <= 2 ? self.year - 1 : self.year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (self.month + (self.month > 2 ? -3 : 9)) + 2) / 5 + self.day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - Self.offset
    }

    init(daysSince2000: Int) {
        let days = daysSince2000 + Self.offset
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        self.init(
            unchecked: (
                yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
            ))
    }

    public static func < (left: PGDate, right: PGDate) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }
}

/// As PostgreSQL writes it in its ISO style: `2026-11-25`, `0044-03-15 BC`.
extension PGDate: CustomStringConvertible {
    public var description: String {
        func digits(_ number: Int, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
        }
        let year = self.year > 0 ? self.year : 1 - self.year
        return digits(year, 4) + "-" + digits(self.month, 2) + "-" + digits(self.day, 2) + (self.year > 0 ? "" : " BC")
    }
}

extension PGDate: PGEncodable, PGDecodable {
    public static var pgType: PGType { .date }

    public var pgValue: PGValue { .integer(Int32(self.daysSince2000), type: .date) }

    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) {
        guard case .finite(let date) = try PGUnbounded<PGDate>(pgCell: cell) else {
            throw PGDecodingError("an infinite date cannot be read as PGDate; PGUnbounded<PGDate> can hold it")
        }
        self = date
    }
}

extension PGDate: PGArrayElement {
    public static var pgArrayType: PGType { .dateArray }
    public static func pgReadsArray(of type: PGType) -> Bool { type == .date }
}
