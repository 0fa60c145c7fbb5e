/// How many statements make a batch: about as many as a server does in a millisecond, to go by the last ones.
///
/// Those that take less than it costs to wake a process for each go to one; those that take long run side by side.
struct BatchSize {
    /// The most that it can be.
    let limit: Int
    private(set) var statements = 1
    /// What a statement takes in nanoseconds, its part of the time from the sending of its batch to the answer. The first ones may be slow.
    private var statementTime = Self.batchTime

    private static let batchTime: Int64 = 1_000_000

    init(limit: Int) {
        self.limit = max(1, limit)
    }

    /// A batch of so many statements has been answered.
    mutating func note(_ statements: Int, in time: Duration) {
        guard statements > 0 else { return }
        self.statementTime += (time.nanoseconds / Int64(statements) - self.statementTime) / 8
        self.statements = min(self.limit, max(1, Int(Self.batchTime / max(self.statementTime, 1))))
    }
}
