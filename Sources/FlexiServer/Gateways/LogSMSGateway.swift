/// Writes short messages to standard error in place of sending them.
struct LogSMSGateway: SMSGateway {
    private let write: @Sendable (String) -> Void

    init(write: @escaping @Sendable (String) -> Void = StandardStreams.writeError) {
        self.write = write
    }

    func deliver(_ message: ShortMessage) async throws(DeliveryFailure) {
        self.write("short message to \(message.recipient): \(message.text)\n")
    }
}
