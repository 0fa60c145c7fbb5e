/// A mail, worded.
struct Mail: Sendable {
    let recipient: EmailAddress
    let subject: String
    let text: String
    let html: String
    /// BCP 47.
    let language: String
    /// Without angle brackets; the same whenever the same mail is tried, so that receivers can tell a repetition.
    let messageID: String
}

/// Something that takes mail.
protocol Mailer: Sendable {
    /// Hands the mail over, and returns when the other side has taken responsibility for it (RFC 5321, 6.1).
    ///
    /// Ends within the deadline it was made with. When the task is cancelled it ends soon, with a temporary failure; the mail may have
    /// gone out then.
    func deliver(_ mail: Mail) async throws(DeliveryFailure)
}
