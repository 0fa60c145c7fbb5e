import Foundation
import Testing

@testable import FlexiServer

/// What every mailer keeps to, and what the one for SMTP does besides, against a mail server of others.
@Suite("Mailers")
struct MailerTests {
    /// Makes one mailer for the length of a closure.
    struct Implementation: Sendable, CustomTestStringConvertible {
        let name: String
        /// The closure is given the mailer, and what says how many mails have arrived.
        let lend:
            @Sendable (_ use: @Sendable (any Mailer, @Sendable () -> Int) async throws -> Void) async throws -> Void

        var testDescription: String { self.name }
    }

    static let implementations = [
        Implementation(name: "log") { use in
            let written = Written()
            try await use(LogMailer { written.append($0) }) { written.texts.count }
        },
        Implementation(name: "smtp") { use in
            try await Neighbour.with("mail_server.py") { server in
                try await use(Self.mailer(server)) { server.taken.count }
            }
        },
    ]

    @Test(arguments: Self.implementations)
    func everyMailerHandsAMailOverOnceAndSaysSo(_ implementation: Implementation) async throws {
        try await implementation.lend { mailer, count in
            try await mailer.deliver(Self.mail())
            await wait { count() == 1 }
            try await mailer.deliver(Self.mail(id: "2"))
            await wait { count() == 2 }
        }
    }

    @Test(arguments: Self.implementations)
    func manyMailsAtATimeAllArrive(_ implementation: Implementation) async throws {
        try await implementation.lend { mailer, count in
            _ = try await race(20) { index in try await mailer.deliver(Self.mail(id: "\(index)")) }
            await wait { count() == 20 }
        }
    }

    // MARK: SMTP

    @Test func aMailIsOneThatOthersCanParse() async throws {
        try await Neighbour.with("mail_server.py") { server in
            let mail = try Self.mail(
                subject: "Votre code : é\r\nBcc: everybody@example.org", text: "Café\n.\n.hidden\n")
            try await Self.mailer(server, name: "L’équipe, \"Ω\"\nX-Evil: 1").deliver(mail)
            await wait { server.taken.count == 1 }
            let parsed = try await ParsedMail(#require(server.taken.first?["content"]))
            #expect(parsed.headers["Subject"] == "Votre code : é  Bcc: everybody@example.org")
            #expect(parsed.senders == [["L’équipe, \"Ω\" X-Evil: 1", "service@example.org"]])
            #expect(parsed.headers["To"]?.contains("alice@example.org") == true)
            #expect(parsed.headers["Message-ID"] == "<1@example.org>")
            #expect(parsed.headers["Date"] == "Wed, 25 Nov 2026 09:05:07 +0000")
            #expect(parsed.headers["Auto-Submitted"] == "auto-generated")
            #expect(parsed.headers["Bcc"] == nil)
            #expect(parsed.headers["X-Evil"] == nil)
            #expect(parsed.parts.map(\.type) == ["text/plain", "text/html"])
            #expect(parsed.parts.first?.text == "Café\n.\n.hidden\n")
            #expect(parsed.parts.last?.text == "<p>Café</p>\n")
            #expect(parsed.defects == [])
        }
    }

    @Test(arguments: ["tls", "ssl"])
    func aMailIsEncryptedAndTheUserLogsIn(encryption: String) async throws {
        try await withCertificate { certificate in
            try await Neighbour.with(
                "mail_server.py", ["--encryption", encryption, "--user", "flexi"] + certificate.arguments,
                environment: ["MAIL_SERVER_PASSWORD": "se cret"]
            ) { server in
                let settings = [
                    "MAIL_ENCRYPTION": encryption, "MAIL_USERNAME": "flexi", "MAIL_PASSWORD": "se cret",
                    "MAIL_CA_FILE": certificate.path, "MAIL_HOST": "localhost",
                ]
                try await Self.mailer(server, settings).deliver(Self.mail())
                await wait { server.taken.count == 1 }
                #expect(server.taken.first?["user"] == "flexi")

                let wrong = try Self.mailer(server, settings.merging(["MAIL_PASSWORD": "other"]) { $1 })
                let failure = await #expect(throws: DeliveryFailure.self) { try await wrong.deliver(Self.mail()) }
                #expect(failure?.kind == .temporary)
                #expect(failure?.reason.hasPrefix("535") == true)
            }
        }
    }

    @Test func anUnknownCertificateIsRefusedUnlessTheOperatorSaysOtherwise() async throws {
        try await withCertificate { certificate in
            try await Neighbour.with("mail_server.py", ["--encryption", "tls"] + certificate.arguments) { server in
                let settings = ["MAIL_ENCRYPTION": "tls", "MAIL_HOST": "localhost"]
                let strict = try Self.mailer(server, settings)
                await #expect(throws: DeliveryFailure.self) { try await strict.deliver(Self.mail()) }

                let lenient = settings.merging(["MAIL_ALLOW_SELF_SIGNED": "true"]) { $1 }
                try await Self.mailer(server, lenient).deliver(Self.mail())
                // The certificate is one for localhost.
                let byAddress = try Self.mailer(server, lenient.merging(["MAIL_HOST": "127.0.0.1"]) { $1 })
                await #expect(throws: DeliveryFailure.self) { try await byAddress.deliver(Self.mail()) }
                try await Self.mailer(
                    server, lenient.merging(["MAIL_HOST": "127.0.0.1", "MAIL_VERIFY_PEER_NAME": "false"]) { $1 }
                ).deliver(Self.mail())
            }
        }
    }

    @Test func nothingIsSentInClearWhereEncryptionIsAskedFor() async throws {
        try await Neighbour.with("mail_server.py") { server in
            let mailer = try Self.mailer(server, ["MAIL_ENCRYPTION": "tls"])
            await #expect(throws: DeliveryFailure.self) { try await mailer.deliver(Self.mail()) }
            #expect(server.taken.isEmpty)
        }
    }

    @Test(arguments: [
        (["--refuse-recipient", "550 5.1.1 nobody of that name"], DeliveryFailure.Kind.permanent),
        (["--refuse-recipient", "451 4.3.0 not now"], .temporary),
        (["--refuse-mail", "554 5.7.1 looks like spam"], .permanent),
        (["--refuse-mail", "452 4.2.2 no room"], .temporary),
    ])
    func aRefusalHasTheServersWords(arguments: [String], kind: DeliveryFailure.Kind) async throws {
        try await Neighbour.with("mail_server.py", arguments) { server in
            let mailer = try Self.mailer(server)
            let failure = await #expect(throws: DeliveryFailure.self) { try await mailer.deliver(Self.mail()) }
            #expect(failure == DeliveryFailure(kind: kind, reason: arguments[1]))
        }
    }

    @Test func aServerThatIsNotThereOrSaysNothingIsGivenUpInTime() async throws {
        let nobody = try Self.mailer(port: 1)
        let failure = await #expect(throws: DeliveryFailure.self) { try await nobody.deliver(Self.mail()) }
        #expect(failure?.kind == .temporary)
        try await SilentServer.with { port in
            let mailer = try Self.mailer(port: port, deadline: .milliseconds(200))
            let failure = await #expect(throws: DeliveryFailure.self) { try await mailer.deliver(Self.mail()) }
            #expect(failure?.kind == .temporary)
        }
    }

    @Test func aDeliveryEndsWithTheTaskThatAsksForIt() async throws {
        try await SilentServer.with { port in
            let mailer = try Self.mailer(port: port, deadline: .seconds(3_600))
            let delivery = Task { try await mailer.deliver(Self.mail()) }
            delivery.cancel()
            let failure = await #expect(throws: DeliveryFailure.self) { try await delivery.value }
            #expect(failure?.kind == .temporary)
        }
    }

    // MARK: Making them

    private static func mail(
        id: String = "1", subject: String = "Hello", text: String = "Café\n"
    ) throws -> Mail {
        try Mail(
            recipient: #require(EmailAddress("alice@example.org")), subject: subject, text: text,
            html: "<p>Café</p>\n", language: "fr", messageID: "\(id)@example.org")
    }

    private static func mailer(
        _ server: Neighbour, _ settings: [String: String] = [:], name: String = "The service"
    ) throws -> SMTPMailer {
        try self.mailer(port: server.port, settings, name: name)
    }

    private static func mailer(
        port: Int, _ settings: [String: String] = [:], name: String = "The service", deadline: Duration = .seconds(60)
    ) throws -> SMTPMailer {
        let configuration = try ServerConfiguration(
            environment: [
                "FLEXI_SECRET_KEY": TestServer.secretKey, "MAIL_DRIVER": "smtp", "MAIL_HOST": "127.0.0.1",
                "MAIL_PORT": "\(port)", "MAIL_ENCRYPTION": "none", "MAIL_FROM_ADDRESS": "service@example.org",
            ].merging(settings) { $1 })
        guard case .smtp(let smtp)? = configuration.mail else { throw NotSMTP() }
        let named = MailConfiguration.SMTP(
            host: smtp.host, port: smtp.port, encryption: smtp.encryption, username: smtp.username,
            password: smtp.password, sender: smtp.sender, senderName: name, verifiesPeer: smtp.verifiesPeer,
            verifiesName: smtp.verifiesName, authoritiesFile: smtp.authoritiesFile)
        return SMTPMailer(named, deadline: deadline, loop: CurlLoop()) {
            Date(timeIntervalSince1970: 1_795_597_507)
        }
    }

    private struct NotSMTP: Error {}
}
