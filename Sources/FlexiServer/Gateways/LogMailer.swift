/// Writes mail to standard error in place of sending it.
struct LogMailer: Mailer {
    private let write: @Sendable (String) -> Void

    init(write: @escaping @Sendable (String) -> Void = StandardStreams.writeError) {
        self.write = write
    }

    func deliver(_ mail: Mail) async throws(DeliveryFailure) {
        self.write(
            "mail to \(mail.recipient): \(mail.subject)\n"
                + mail.text.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)\n" }.joined())
    }
}
