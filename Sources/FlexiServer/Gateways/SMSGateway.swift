/// A short message, worded.
struct ShortMessage: Sendable {
    let recipient: PhoneNumber
    let text: String
    /// The same whenever the same message is tried.
    let key: String
}

/// Something that takes short messages.
protocol SMSGateway: Sendable {
    /// Hands the message over, and returns when the other side has accepted it for this recipient.
    ///
    /// Ends within the deadline it was made with. When the task is cancelled it ends soon, with a temporary failure; the message may
    /// have gone out then.
    func deliver(_ message: ShortMessage) async throws(DeliveryFailure)
}
