/// How long to wait after a failed attempt: five seconds, then twice as long each time up to an hour, with jitter, so that what failed
/// together does not come back together.
struct RetryDelay: Sendable {
    private static let first = 5.0
    private static let longest = 3_600.0

    /// `attempt` is 1 for the first that failed; `random` lies in 0..<1. In seconds, from three quarters to five quarters of the plain
    /// delay.
    static func seconds(after attempt: Int, random: Double) -> Double {
        let plain = min(self.first * Double(1 << min(max(attempt, 1) - 1, 20)), self.longest)
        return plain * (0.75 + 0.5 * random)
    }
}
