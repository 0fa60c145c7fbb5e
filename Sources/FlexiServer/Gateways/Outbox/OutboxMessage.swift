import FoundationEssentials

/// How a message of the outbox leaves.
enum OutboxChannel: String, CaseIterable, Sendable {
    case mail
    case sms
}

/// What a mail says.
enum MailContent: Sendable {
    /// To a new address: the code, and a link with it, that make it the account's.
    case confirmAddress(code: Secret<String>)
    /// To the address that another one has replaced.
    case addressChanged
    /// To the address given at registration: the code, and a link with it, that activate the account.
    case activation(code: Secret<String>)
    /// To somebody whose account has come to life.
    case registrationConfirmed
}

/// A message as the outbox keeps it: what is said in which language, about which account, and to whom. The words are found when it is
/// delivered.
struct OutboxMessage: Sendable {
    /// The raw values name templates.
    enum Kind: String, CaseIterable, Codable, Sendable {
        case confirmAddress = "confirm-address"
        case addressChanged = "address-changed"
        case activation
        case registrationConfirmed = "registration-confirmed"
        case pin

        var channel: OutboxChannel { self == .pin ? .sms : .mail }
    }

    let kind: Kind
    let language: Language
    let recipient: Secret<String>
    /// `user@domain` of the account.
    let address: String
    let code: Secret<String>?

    init(_ content: MailContent, to recipient: EmailAddress, about address: String, in language: Language) {
        (self.kind, self.code) =
            switch content {
            case .confirmAddress(let code): (.confirmAddress, code)
            case .addressChanged: (.addressChanged, nil)
            case .activation(let code): (.activation, code)
            case .registrationConfirmed: (.registrationConfirmed, nil)
            }
        self.recipient = Secret(recipient.value)
        self.address = address
        self.language = language
    }

    init(_ pin: PIN, to recipient: PhoneNumber, about address: String, in language: Language) {
        self.kind = .pin
        self.code = pin.digits
        self.recipient = Secret(recipient.value)
        self.address = address
        self.language = language
    }

    /// The text without what is secret in this message: an answer of a mail server likes to repeat the recipient.
    func redacting(_ text: String) -> String {
        [self.recipient, self.code].compactMap { $0?.reveal() }.reduce(text) { text, secret in
            text.replacing(secret, with: "…").replacing(secret.lowercased(), with: "…")
        }
    }
}

// MARK: As bytes to be sealed

extension OutboxMessage {
    private struct Payload: Codable {
        let kind: Kind
        let language: Language
        let recipient: String
        let address: String
        let code: String?
    }

    init(payload: [UInt8]) throws {
        let payload = try JSONDecoder().decode(Payload.self, from: Data(payload))
        self.kind = payload.kind
        self.language = payload.language
        self.recipient = Secret(payload.recipient)
        self.address = payload.address
        self.code = payload.code.map { Secret($0) }
    }

    func payload() throws -> [UInt8] {
        try Array(
            JSONEncoder().encode(
                Payload(
                    kind: self.kind, language: self.language, recipient: self.recipient.reveal(),
                    address: self.address, code: self.code?.reveal())))
    }
}
