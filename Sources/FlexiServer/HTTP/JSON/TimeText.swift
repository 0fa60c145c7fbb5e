import FoundationEssentials

/// The two ways in which times are written, both in UTC, both without a formatter's cost.
enum TimeText {
    /// `2022-07-12 13:14:46`, where the reference system writes that form.
    static func plain(_ date: Date) -> String {
        let parts = Parts(date)
        return self.text(parts, separator: " ", end: "")
    }

    /// RFC 3339: `2022-07-12T13:14:46.000000Z`.
    static func rfc3339(_ date: Date) -> String {
        let parts = Parts(date)
        let fraction = String(parts.microsecond)
        return self.text(
            parts, separator: "T", end: "." + String(repeating: "0", count: 6 - fraction.utf8.count) + fraction + "Z")
    }

    /// Reads the plain form; `nil` when it is another, or no such time exists.
    static func date(plain text: String) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count == 19, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] == UInt8(ascii: " "),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let year = self.number(bytes[0..<4]), let month = self.number(bytes[5..<7]),
            let day = self.number(bytes[8..<10]),
            let hour = self.number(bytes[11..<13]), let minute = self.number(bytes[14..<16]),
            let second = self.number(bytes[17..<19]),
            year >= 1, (1...12).contains(month), hour < 24, minute < 60, second < 60
        else { return nil }
        let days = self.days(year: year, month: month, day: day)
        let date = Date(timeIntervalSince1970: Double(days * 86_400 + hour * 3_600 + minute * 60 + second))
        // The 31st of a shorter month would read as a day of the next.
        return self.plain(date) == text ? date : nil
    }

    private struct Parts {
        let year, month, day, second, microsecond: Int

        init(_ date: Date) {
            // PostgreSQL keeps microseconds.
            let microseconds = Int((date.timeIntervalSince1970 * 1_000_000).rounded())
            let (days, inDay) = microseconds.quotientAndRemainder(flooredBy: 86_400_000_000)
            (self.second, self.microsecond) = inDay.quotientAndRemainder(dividingBy: 1_000_000)
            (self.year, self.month, self.day) = TimeText.civil(days: days)
        }
    }

    private static func text(_ parts: Parts, separator: String, end: String) -> String {
        var text = ""
        text.reserveCapacity(28)
        text += self.padded(parts.year / 100) + self.padded(parts.year % 100) + "-"
        text += self.padded(parts.month) + "-" + self.padded(parts.day) + separator
        text += self.padded(parts.second / 3_600) + ":" + self.padded(parts.second / 60 % 60) + ":"
        text += self.padded(parts.second % 60) + end
        return text
    }

    private static func padded(_ number: Int) -> String {
        number < 10 ? "0\(number)" : String(number)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        digits.reduce(0 as Int?) { sum, byte in
            guard let sum, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            return sum * 10 + Int(byte - UInt8(ascii: "0"))
        }
    }

    // The proleptic Gregorian calendar counted in years that begin in March, so that the leap day is the last one:
    // 400 years are an era of 146,097 days, and 719,468 days lie between 0000-03-01 and 1970-01-01.

    private static func civil(days: Int) -> (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(flooredBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    private static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shifted.quotientAndRemainder(flooredBy: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Int {
    /// Rounds the quotient down, so that the remainder is never negative.
    fileprivate func quotientAndRemainder(flooredBy divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = self.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
