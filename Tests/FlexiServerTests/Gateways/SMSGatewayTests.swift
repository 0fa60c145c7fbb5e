import Foundation
import Testing

@testable import FlexiServer

/// What every gateway for short messages keeps to, and what each does besides.
@Suite("SMS gateways")
struct SMSGatewayTests {
    /// Makes one gateway for the length of a closure.
    struct Implementation: Sendable, CustomTestStringConvertible {
        let name: String
        /// The closure is given the gateway, and what says which messages have arrived: their recipients and texts.
        let lend:
            @Sendable (
                _ use: @Sendable (any SMSGateway, @Sendable () -> [[String]]) async throws -> Void
            ) async throws -> Void

        var testDescription: String { self.name }
    }

    static let remote = [
        Implementation(name: "ovh") { use in
            try await Neighbour.with("sms_server.py") { server in
                try await use(Self.ovh(server)) { Self.messages(server) }
            }
        },
        Implementation(name: "webhook") { use in
            try await Neighbour.with("sms_server.py") { server in
                try await use(Self.webhook(server)) { Self.messages(server) }
            }
        },
    ]

    static let implementations =
        remote + [
            Implementation(name: "log") { use in
                let written = Written()
                try await use(LogSMSGateway { written.append($0) }) {
                    written.texts.map { text in
                        let parts = text.trimmingCharacters(in: .newlines).split(separator: ": ", maxSplits: 1)
                        return [String(parts[0].dropFirst("short message to ".count)), String(parts[1])]
                    }
                }
            }
        ]

    @Test(arguments: Self.implementations)
    func everyGatewayHandsAMessageOverOnceAndSaysSo(_ implementation: Implementation) async throws {
        try await implementation.lend { gateway, arrived in
            try await gateway.deliver(Self.message("1234 est votre code, à bientôt"))
            await wait { arrived().count == 1 }
            #expect(arrived() == [["+33612345678", "1234 est votre code, à bientôt"]])
            try await gateway.deliver(Self.message("5678", to: "+15145550100"))
            await wait { arrived().count == 2 }
            #expect(arrived().last == ["+15145550100", "5678"])
        }
    }

    @Test(arguments: Self.remote)
    func aReceiverThatTheOtherSideDoesNotTakeIsRefusedForGood(_ implementation: Implementation) async throws {
        try await implementation.lend { gateway, arrived in
            let failure = await #expect(throws: DeliveryFailure.self) {
                try await gateway.deliver(Self.message("1234", to: "+33612345699"))
            }
            #expect(failure?.kind == .permanent)
            #expect(arrived().isEmpty)
        }
    }

    @Test(arguments: ["slow", "rubbish", "error"])
    func aNeighbourThatMisbehavesIsGivenUpInTime(how: String) async throws {
        try await Neighbour.with("sms_server.py", ["--misbehave", how]) { server in
            let deadline = Duration.milliseconds(how == "slow" ? 200 : 60_000)
            for gateway in [try Self.ovh(server, deadline: deadline), try Self.webhook(server, deadline: deadline)]
                as [any SMSGateway]
            {
                // A webhook says by its status alone how it went.
                if how == "rubbish", gateway is WebhookSMSGateway { continue }
                let failure = await #expect(throws: DeliveryFailure.self) { try await gateway.deliver(Self.message()) }
                #expect(failure?.kind == .temporary)
            }
        }
    }

    @Test func aNeighbourThatIsNotThereIsATemporaryFailure() async throws {
        for gateway in [try Self.ovh(port: 1), try Self.webhook(port: 1)] as [any SMSGateway] {
            let failure = await #expect(throws: DeliveryFailure.self) { try await gateway.deliver(Self.message()) }
            #expect(failure?.kind == .temporary)
        }
    }

    // MARK: OVH

    @Test func theServiceAtOVHIsChosenOnce() async throws {
        try await Neighbour.with("sms_server.py") { server in
            let gateway = try Self.ovh(server)
            for _ in 0..<3 { try await gateway.deliver(Self.message()) }
            await wait { server.taken.count == 4 }
            #expect(server.taken.count { $0["asked"] == "services" } == 1)
        }
    }

    @Test func aMessageWithOtherLettersIsSentInSixteenBits() async throws {
        try await Neighbour.with("sms_server.py") { server in
            let gateway = try Self.ovh(server)
            try await gateway.deliver(Self.message("ê"))
            try await gateway.deliver(Self.message("é"))
            await wait { server.taken.count == 3 }
            #expect(server.taken.compactMap { $0["coding"] } == ["8bit", "7bit"])
        }
    }

    /// Each of its three answers would come in time by itself.
    @Test func allThatIsAskedOfOVHForAMessageSharesOneDeadline() async throws {
        try await StandIn.with(
            .loopback,
            reply: { request in
                try? await Task.sleep(for: .milliseconds(700))
                let body = request.hasPrefix("GET /1.0/auth/time ") ? "1800000000" : #"["sms-ab12345-1"]"#
                return .answer(
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            }
        ) { server in
            let gateway = try Self.ovh(port: server.port, deadline: .seconds(1))
            let failure = await #expect(throws: DeliveryFailure.self) { try await gateway.deliver(Self.message()) }
            #expect(failure?.kind == .temporary)
            #expect(
                server.commands.allSatisfy { !$0.hasPrefix("POST") }, "the time was over before the message was sent")
        }
    }

    @Test func aWrongSecretIsATemporaryFailureInOVHsWords() async throws {
        try await Neighbour.with("sms_server.py") { server in
            let gateway = try Self.ovh(server, secret: "another")
            let failure = await #expect(throws: DeliveryFailure.self) { try await gateway.deliver(Self.message()) }
            #expect(failure?.kind == .temporary)
            #expect(failure?.reason.contains("403") == true && failure?.reason.contains("Invalid signature") == true)
            #expect(failure?.reason.contains("another") == false)
        }
    }

    // MARK: Webhook

    @Test func theKeyOfAMessageIsTheSameAtEveryAttempt() async throws {
        try await Neighbour.with("sms_server.py") { server in
            let gateway = try Self.webhook(server)
            for key in ["one", "one", "two"] { try await gateway.deliver(Self.message(key: key)) }
            await wait { server.taken.count == 3 }
            let keys = server.taken.compactMap { $0["key"] }
            #expect(keys.count == 3 && keys[0] == keys[1] && keys[1] != keys[2])
            #expect(server.taken.first?["sender"] == "FlexiServer")
        }
    }

    // MARK: Making them

    private static func message(
        _ text: String = "1234", to number: String = "+33612345678", key: String = "key"
    ) throws -> ShortMessage {
        try ShortMessage(recipient: #require(PhoneNumber(number)), text: text, key: key)
    }

    private static func messages(_ server: Neighbour) -> [[String]] {
        server.taken.compactMap { taken in
            taken["to"].flatMap { number in taken["message"].map { [number, $0] } }
        }
    }

    private static func ovh(
        _ server: Neighbour, secret: String = "application secret", deadline: Duration = .seconds(60)
    ) throws -> OVHSMSGateway {
        try self.ovh(port: server.port, secret: secret, deadline: deadline)
    }

    private static func ovh(
        port: Int, secret: String = "application secret", deadline: Duration = .seconds(60)
    ) throws -> OVHSMSGateway {
        let configuration = try self.configuration([
            "SMS_DRIVER": "ovh", "OVH_APP_ENDPOINT": "http://127.0.0.1:\(port)/1.0/", "OVH_APP_KEY": "application",
            "OVH_APP_SECRET": secret, "OVH_APP_CONSUMER_KEY": "consumer key",
        ])
        guard case .ovh(let ovh)? = configuration.sms?.way else { throw OtherWay() }
        return OVHSMSGateway(ovh, deadline: deadline, loop: CurlLoop())
    }

    private static func webhook(_ server: Neighbour, deadline: Duration = .seconds(60)) throws -> WebhookSMSGateway {
        try self.webhook(port: server.port, deadline: deadline)
    }

    private static func webhook(port: Int, deadline: Duration = .seconds(60)) throws -> WebhookSMSGateway {
        let configuration = try self.configuration([
            "SMS_DRIVER": "webhook", "SMS_WEBHOOK_URL": "http://127.0.0.1:\(port)/webhook",
            "SMS_WEBHOOK_TOKEN": "webhook token", "SMS_SENDER": "FlexiServer",
        ])
        guard case .webhook(let webhook)? = configuration.sms?.way else { throw OtherWay() }
        return WebhookSMSGateway(webhook, deadline: deadline, loop: CurlLoop())
    }

    private static func configuration(_ settings: [String: String]) throws -> ServerConfiguration {
        try ServerConfiguration(
            environment: settings.merging(["FLEXI_SECRET_KEY": TestServer.secretKey]) { given, _ in given })
    }

    private struct OtherWay: Error {}
}
