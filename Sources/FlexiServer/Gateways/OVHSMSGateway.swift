import Foundation
import NIOCore
import OpenSSLCrypto

/// Sends short messages through OVH (api.ovh.com/console, /sms).
///
/// Requests are signed with the time of OVH's clock, of which the difference to ours is asked for once an hour. The service that messages
/// are charged to is the configured one, or the first that the consumer key may use, chosen once.
actor OVHSMSGateway: SMSGateway {
    private let configuration: SMSConfiguration.OVH
    private let deadline: Duration
    private let loop: CurlLoop
    private let now: @Sendable () -> Date
    private var clock: (difference: Int, askedAt: Date)?
    private var service: String?

    init(
        _ configuration: SMSConfiguration.OVH, deadline: Duration, loop: CurlLoop,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.configuration = configuration
        self.deadline = deadline
        self.loop = loop
        self.now = now
        self.service = configuration.service
    }

    func deliver(_ message: ShortMessage) async throws(DeliveryFailure) {
        let end = ContinuousClock.now + self.deadline
        let service = PercentEncoding.encode(try await self.chosenService(by: end))
        let answer = try await self.signed("POST", "/sms/\(service)/jobs", body: self.job(message), by: end)
        guard case .object(let report)? = answer.json else {
            throw .temporary("OVH's answer is not understood: \(answer.excerpt)")
        }
        if Self.texts(report["invalidReceivers"]).contains(message.recipient.value) {
            throw .permanent("OVH does not accept the receiver")
        }
        guard Self.texts(report["validReceivers"]).contains(message.recipient.value) else {
            throw .temporary("OVH did not take the message: \(answer.excerpt)")
        }
    }

    private func job(_ message: ShortMessage) -> String {
        var writer = JSONWriter()
        writer.object { json in
            json.member("charset", "UTF-8")
            json.member("class", "phoneDisplay")
            json.member("coding", GSMAlphabet.contains(message.text) ? "7bit" : "8bit")
            json.member("message", message.text)
            json.member("noStopClause", true)
            json.member("priority", "high")
            json.member("receivers") { json in
                json.array([message.recipient.value]) { json, receiver in json.value(receiver) }
            }
            if let sender = self.configuration.sender { json.member("sender", sender) }
            json.member("senderForResponse", self.configuration.sender == nil)
            json.member("validityPeriod", 2_880)
        }
        return String(buffer: writer.buffer)
    }

    private func chosenService(by end: ContinuousClock.Instant) async throws(DeliveryFailure) -> String {
        if let service { return service }
        let answer = try await self.signed("GET", "/sms", by: end)
        guard let first = Self.texts(answer.json).first else {
            throw .temporary("the consumer key may use no SMS service at OVH")
        }
        self.service = first
        return first
    }

    /// - Throws: `DeliveryFailure`, temporary, also for an answer other than 2xx: such an answer is about the account at OVH.
    private func signed(
        _ method: String, _ path: String, body: String? = nil, by end: ContinuousClock.Instant
    ) async throws(DeliveryFailure) -> NeighbourAnswer {
        let url = self.configuration.endpoint + path
        let time = try await self.time(by: end)
        let text = [
            self.configuration.secret.reveal(), self.configuration.consumerKey.reveal(), method, url, body ?? "",
            String(time),
        ].joined(separator: "+")
        let answer = try await self.loop.exchange(
            url,
            headers: [
                ("X-Ovh-Application", self.configuration.key),
                ("X-Ovh-Consumer", self.configuration.consumerKey.reveal()),
                ("X-Ovh-Timestamp", String(time)),
                ("X-Ovh-Signature", "$1$" + Hex.encode(HashFunction.sha1.hash(Array(text.utf8)))),
            ], json: body, deadline: end - ContinuousClock.now)
        guard answer.isSuccess else {
            // Perhaps the clocks have drifted apart.
            self.clock = nil
            throw .temporary("OVH answered \(answer.status): \(answer.excerpt)")
        }
        return answer
    }

    /// Seconds since 1970 by OVH's clock.
    private func time(by end: ContinuousClock.Instant) async throws(DeliveryFailure) -> Int {
        let now = self.now()
        if let clock, now.timeIntervalSince(clock.askedAt) < 3_600 {
            return Int(now.timeIntervalSince1970) + clock.difference
        }
        let answer = try await self.loop.exchange(
            self.configuration.endpoint + "/auth/time", deadline: end - ContinuousClock.now)
        guard answer.isSuccess, let time = Int(String(decoding: answer.body, as: UTF8.self).trimmed) else {
            throw .temporary("OVH's clock answered \(answer.status): \(answer.excerpt)")
        }
        self.clock = (time - Int(now.timeIntervalSince1970), now)
        return time
    }

    /// The texts of a JSON array; none of anything else.
    private static func texts(_ value: JSONValue?) -> [String] {
        guard case .array(let elements)? = value else { return [] }
        return elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
    }
}
