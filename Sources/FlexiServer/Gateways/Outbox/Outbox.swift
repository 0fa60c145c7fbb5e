import FoundationEssentials
import HTTPTypes
import Hummingbird
import OpenSSLCrypto
import PGClient

/// Where requests leave their mails and short messages: the message is a row that commits with the change that asks for it, and a worker
/// delivers it afterwards.
///
/// A route first calls `requireMail` or `requireShortMessages`, and then adds the message in its transaction:
///
/// ```swift
/// let outbox = Outbox(services)
/// try outbox.requireMail()
/// try await services.database.withTransaction { transaction in
///     …
///     try await outbox.add(
///         .confirmAddress(code: code), to: email, of: account.id, in: outbox.language(of: request),
///         key: "email change \(account.id.rawValue) \(codeHash)", validUntil: expiresAt, to: transaction)
/// }
/// ```
struct Outbox: Sendable {
    private let services: Services
    private var configuration: ServerConfiguration { self.services.configuration }

    init(_ services: Services) {
        self.services = services
    }

    /// - Throws: 503 when this server has no way to send mail.
    func requireMail() throws(APIError) {
        guard self.configuration.mail != nil else { throw .unavailable("This server cannot send mail.") }
    }

    /// - Throws: 503 when this server has no way to send short messages, and 422 on `phone` for a number that none are sent to.
    func requireShortMessages(to number: PhoneNumber) throws(APIError) {
        guard let sms = self.configuration.sms else {
            throw .unavailable("This server cannot send short messages.")
        }
        guard sms.mayReach(number) else {
            throw .invalid("phone", "Short messages are not sent to numbers of this country.")
        }
    }

    /// The language in which whoever sends the request likes to be written to, where it says one.
    func language(of request: Request) -> Language? {
        Language(accepted: request.headers[.acceptLanguage])
    }

    /// Adds a mail that is sent once `transaction` has committed, in the language of the account: that of the last such request of its
    /// owner's. `language` is that of this request; `nil` where it is somebody else's, or says none.
    ///
    /// `key` says what asks for it: a second message with the same key is not added. It is stored in clear, so it holds no code or
    /// address, but may hold the hash of a long code. After `validUntil`, when its code no longer works, the mail is not sent any more.
    func add(
        _ content: MailContent, to recipient: EmailAddress, of account: Account.ID, in language: Language?, key: String,
        validUntil: Date? = nil, to transaction: PGTransaction
    ) async throws {
        let owner = try await OutboxRepository(transaction).owner(account, speaking: language)
        let message = OutboxMessage(
            content, to: recipient, about: owner.address, in: owner.language ?? self.configuration.defaultLanguage)
        try await self.add(message, of: account, key: key, validUntil: validUntil, to: transaction)
    }

    /// Tells the address that another one has replaced, where there was one and mail can be sent. `language` is that of a mail.
    func addNotice(
        to old: EmailAddress?, replacedBy new: EmailAddress?, of account: Account.ID, in language: Language?,
        to transaction: PGTransaction
    ) async throws {
        guard let old, let new, old != new, self.configuration.mail != nil else { return }
        try await self.add(
            .addressChanged, to: old, of: account, in: language,
            key: "email changed \(account.rawValue) \(self.services.random.token(13))", to: transaction)
    }

    /// Adds a short message that is sent once `transaction` has committed. `language`, `key` and `validUntil` are those of a mail; since a
    /// PIN can be guessed, its hash may not be part of the key.
    ///
    /// - Throws: `APIError` 429 when the account, the number, the client's address or all of them together have had their messages of
    ///   the day (UTC); the transaction is to be given up.
    func add(
        _ pin: PIN, to recipient: PhoneNumber, of account: Account.ID, asking client: ClientAddress,
        in language: Language?, key: String, validUntil: Date? = nil, to transaction: PGTransaction
    ) async throws {
        let owner = try await OutboxRepository(transaction).owner(account, speaking: language)
        let message = OutboxMessage(
            pin, to: recipient, about: owner.address, in: owner.language ?? self.configuration.defaultLanguage)
        try await SMSBudget(self.services).spend(account: account, number: recipient, client: client, in: transaction)
        try await self.add(message, of: account, key: key, validUntil: validUntil, to: transaction)
    }

    private func add(
        _ message: OutboxMessage, of account: Account.ID, key: String, validUntil: Date?, to transaction: PGTransaction
    ) async throws {
        let now = self.services.now()
        let end = now.addingTimeInterval(Double(self.configuration.outbox.retryTime.components.seconds))
        try await OutboxRepository(transaction).insert(
            sealed: SealedColumn.outboxPayload.seal(message.payload(), row: key, with: self.services.keys.seal),
            on: message.kind.channel, of: account, key: key, retryUntil: validUntil.map { min($0, end) } ?? end,
            at: now)
    }
}
