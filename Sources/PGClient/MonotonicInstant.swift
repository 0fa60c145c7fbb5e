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
        let (seconds, attoseconds) = duration.components
        let (whole, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isBeyond) = instant.nanoseconds.addingReportingOverflow(whole)
        let (end, isPast) = sum.addingReportingOverflow(attoseconds / 1_000_000_000)
        return MonotonicInstant(nanoseconds: isTooLong || isBeyond || isPast ? .max : end)
    }

    static func - (left: MonotonicInstant, right: MonotonicInstant) -> Duration {
        .nanoseconds(left.nanoseconds - right.nanoseconds)
    }
}
