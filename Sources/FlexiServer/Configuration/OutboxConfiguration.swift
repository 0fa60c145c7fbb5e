/// How messages are delivered.
struct OutboxConfiguration: Sendable {
    /// How long one attempt may take.
    let deadline: Duration
    /// How long a message without a code is tried.
    let retryTime: Duration
    /// How long rows of finished messages are kept.
    let keepTime: Duration
    /// Deliveries at a time, of each channel.
    let concurrency: Int

    init(_ reader: SettingReader) throws(ConfigurationError) {
        self.deadline = try .seconds(reader.read(Settings.outboxDeadlineSeconds))
        self.retryTime = try .seconds(3_600 * reader.read(Settings.outboxRetryHours))
        self.keepTime = try .seconds(86_400 * reader.read(Settings.outboxKeepDays))
        self.concurrency = try reader.read(Settings.outboxConcurrency)
    }

    /// How long a worker that took a message has it to itself: an attempt, then the time to say how it went.
    var lease: Duration { self.deadline + .seconds(30) }
}
