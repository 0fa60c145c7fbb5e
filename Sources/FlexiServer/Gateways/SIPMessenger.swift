/// Sends text messages over SIP (RFC 3428), as an account of its own.
protocol SIPMessenger: Sendable {
    /// Takes the message to be sent and returns its id; whether it arrives is not known yet.
    ///
    /// Throws `GatewayFailure` when it was not taken, or is not known to be.
    func send(_ message: SIPMessage) async throws -> SIPMessageOutcome
}

enum SIPMessageOutcome: Hashable, Sendable {
    case accepted(id: String)
    /// The messenger does not understand the address.
    case unknownAddress
}

struct SIPMessage: Sendable {
    let to: SIPURI
    /// One line at least; lines are separated by any of Unicode's line breaks.
    let body: String
}
