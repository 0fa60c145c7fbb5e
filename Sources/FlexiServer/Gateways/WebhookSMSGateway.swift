import NIOCore
import OpenSSLCrypto

/// Posts short messages to a program of the operator's: `{"to": "+33…", "message": "…", "sender": "…"}`, with an `Idempotency-Key` header
/// that is the same whenever one message is tried.
struct WebhookSMSGateway: SMSGateway {
    private let configuration: SMSConfiguration.Webhook
    private let deadline: Duration
    private let loop: CurlLoop

    init(_ configuration: SMSConfiguration.Webhook, deadline: Duration, loop: CurlLoop) {
        self.configuration = configuration
        self.deadline = deadline
        self.loop = loop
    }

    func deliver(_ message: ShortMessage) async throws(DeliveryFailure) {
        var writer = JSONWriter()
        writer.object { json in
            json.member("to", message.recipient.value)
            json.member("message", message.text)
            json.member("sender", self.configuration.sender)
        }
        // A key may name the account: its hash tells nothing.
        var headers = [("Idempotency-Key", Hex.encode(SHA256.hash("short message \(message.key)").prefix(16)))]
        if let token = self.configuration.token { headers.append(("Authorization", "Bearer \(token.reveal())")) }
        let answer = try await self.loop.exchange(
            self.configuration.url.reveal(), headers: headers, json: String(buffer: writer.buffer),
            deadline: self.deadline)
        guard !answer.isSuccess else { return }
        let reason = "the webhook answered \(answer.status): \(answer.excerpt)"
        // These say that the message is wrong; everything else, that something around it is.
        throw [400, 409, 410, 413, 422].contains(answer.status) ? .permanent(reason) : .temporary(reason)
    }
}
