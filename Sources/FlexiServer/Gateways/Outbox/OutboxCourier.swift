import OpenSSLCrypto

/// Opens a message of the outbox, words it, and hands it to the gateway.
struct OutboxCourier: Sendable {
    enum Gateway: Sendable {
        case mail(any Mailer)
        case sms(any SMSGateway)

        var channel: OutboxChannel {
            switch self {
            case .mail: .mail
            case .sms: .sms
            }
        }
    }

    let gateway: Gateway
    private let templates: MessageTemplates
    private let keys: SealingKeyRing
    /// Right of the `@` in the ids of mails.
    private let host: String

    init(gateway: Gateway, services: Services) {
        self.gateway = gateway
        self.templates = services.configuration.templates
        self.keys = services.keys.seal
        self.host = services.configuration.sipDomain.value
    }

    /// - Throws: `DeliveryFailure` with a reason that may be stored.
    func deliver(_ taken: OutboxRepository.Taken) async throws(DeliveryFailure) {
        let message: OutboxMessage
        do {
            message = try OutboxMessage(
                payload: SealedColumn.outboxPayload.open(taken.sealed, row: taken.key, with: self.keys))
        } catch {
            // Sealed with a key that this server has not been given (yet), or by a server of another version.
            throw .temporary("the message cannot be opened; is FLEXI_SECRET_KEY_PREVIOUS missing?")
        }
        do {
            try await self.deliver(message, key: taken.key)
        } catch {
            let reason = message.redacting(error.reason).filter { !$0.isNewline && $0 != "\0" }
            throw DeliveryFailure(kind: error.kind, reason: String(reason.prefix(500)))
        }
    }

    private func deliver(_ message: OutboxMessage, key: String) async throws(DeliveryFailure) {
        switch self.gateway {
        case .mail(let mailer):
            guard let recipient = EmailAddress(message.recipient.reveal()) else { throw Self.malformed }
            let words = self.templates.mail(message)
            let id = "\(Hex.encode(SHA256.hash("message id \(key)").prefix(16)))@\(self.host)"
            try await mailer.deliver(
                Mail(
                    recipient: recipient, subject: words.subject, text: words.text, html: words.html,
                    language: message.language.rawValue, messageID: id))
        case .sms(let sms):
            guard let recipient = PhoneNumber(message.recipient.reveal()) else { throw Self.malformed }
            try await sms.deliver(
                ShortMessage(recipient: recipient, text: self.templates.shortMessage(message), key: key))
        }
    }

    private static let malformed = DeliveryFailure.permanent("the recipient is no valid address")
}
