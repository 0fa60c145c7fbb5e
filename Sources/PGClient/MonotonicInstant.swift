import Glibc

/// A point in time that never goes back, to the nanosecond.
///
/// `ContinuousClock.Instant` would do, but its layout is looked up at run time, and that of everything that holds one.
struct MonotonicInstant: Comparable, Sendable {
    private let nanoseconds: Int64

    static var now: MonotonicInstant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Stays at the end of time, some 292 years from the start of the machine, when the duration goes beyond.
    static func + (instant: MonotonicInstant, duration: Duration) -> MonotonicInstant {
        let (sum, isBeyond) = instant.nanoseconds.addingReportingOverflow(duration.nanoseconds)
        return MonotonicInstant(nanoseconds: isBeyond ? .max : sum)
    }

    static func - (left: MonotonicInstant, right: MonotonicInstant) -> Duration {
        .nanoseconds(left.nanoseconds(since: right))
    }

    func nanoseconds(since other: MonotonicInstant) -> Int64 { self.nanoseconds - other.nanoseconds }
}

extension Duration {
    /// Rounded towards zero; the longest that fits for anything longer.
    var nanoseconds: Int64 { Int64(clamping: self.attoseconds / 1_000_000_000) }
}
