/// Growing delays between attempts, each chosen at random so that several runs do not meet again and again.
struct Backoff {
    private var limit: Duration
    private let maximum: Duration

    init(from first: Duration, to maximum: Duration) {
        self.limit = first
        self.maximum = maximum
    }

    /// Between a half and the whole of a limit that doubles every time.
    mutating func next() -> Duration {
        let delay = self.limit * Double.random(in: 0.5...1)
        self.limit = min(self.limit * 2, self.maximum)
        return delay
    }
}
