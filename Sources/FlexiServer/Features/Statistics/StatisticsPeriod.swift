import FoundationEssentials

/// A stretch of time up to now, in UTC, cut into hours or days. The first and the last of them count whole.
enum StatisticsPeriod: String, Sendable, CaseIterable {
    /// 25 hours: this one of yesterday up to this one.
    case day
    /// 8 days: this day of last week up to today.
    case week
    /// The days from this date of last month, or that month's last day, up to today.
    case month

    /// Seconds from the start of one part to the start of the next.
    var step: Int { self == .day ? 3_600 : 86_400 }

    /// When each part starts, in order.
    func starts(at now: Date) -> [Date] {
        let step = Double(self.step)
        let last = (now.timeIntervalSince1970 / step).rounded(.down) * step
        return stride(from: self.first(before: last), through: last, by: step).map(Date.init(timeIntervalSince1970:))
    }

    private func first(before last: Double) -> Double {
        switch self {
        case .day: return last - 24 * 3_600
        case .week: return last - 7 * 86_400
        case .month:
            var calendar = Calendar(identifier: .gregorian)
            calendar.timeZone = .gmt
            let start = calendar.date(byAdding: .month, value: -1, to: Date(timeIntervalSince1970: last))
            return start?.timeIntervalSince1970 ?? last
        }
    }

    /// The name of the part that starts at `start`: `2022-07-12 13` for an hour, `2022-07-12` for a day.
    func key(_ start: Date) -> String {
        String(TimeText.plain(start).prefix(self == .day ? 13 : 10))
    }
}
