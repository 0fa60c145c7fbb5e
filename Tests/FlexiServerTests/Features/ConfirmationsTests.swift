import Foundation
import OpenSSLCrypto
import PGClient
import Testing

@testable import FlexiServer

@Suite("Confirmations")
struct ConfirmationsTests {
    private static let mail = ["MAIL_DRIVER": "log"]
    private static let code = "abcdefghijklmnop"

    private func askForChange(
        _ server: TestServer, of account: TestAccount, to email: String = "new@example.org",
        expiringIn time: TimeInterval = 3_600
    ) async throws {
        try await server.services.database.execute(
            """
            INSERT INTO flexi.email_changes (account_id, new_email, code_hash, expires_at)
            VALUES (\(account.id), \(email), \(SHA256.hash(Self.code)), \(server.clock.now.addingTimeInterval(time)))
            """
        )
    }

    private func setEmail(_ server: TestServer, of account: TestAccount, to email: String) async throws {
        try await server.services.database.execute(
            "UPDATE flexi.accounts SET email = \(email) WHERE id = \(account.id)")
    }

    private func email(_ server: TestServer, of account: TestAccount) async throws -> String? {
        try await server.services.database.query("SELECT email FROM flexi.accounts WHERE id = \(account.id)")[0]
            .decode("email", as: String?.self)
    }

    @Test func openingTheLinkChangesNothing() async throws {
        try await withServer(Self.mail) { server in
            let account = try await server.account()
            try await self.askForChange(server, of: account)
            for method in ["GET", "HEAD", "GET"] {
                let reply = try await server.send(method, "/email/\(Self.code)")
                #expect(reply.status == 200)
            }
            #expect(try await self.email(server, of: account) == nil)
            let page = try await server.get("/email/\(Self.code)").text
            #expect(page.contains("<form method=\"post\">"))
            #expect(page.contains("alice@sip.example.org"))
        }
    }

    @Test func theButtonGivesTheAccountItsNewAddressAndTellsTheOldOne() async throws {
        try await withServer(Self.mail) { server in
            let account = try await server.account()
            try await self.setEmail(server, of: account, to: "old@example.org")
            try await self.askForChange(server, of: account)
            let reply = try await server.wire.send(
                "POST", "/email/\(Self.code)", [("Content-Type", "application/x-www-form-urlencoded")], body: [])
            #expect(reply.status == 200)
            #expect(reply.text.contains("Your mail address is confirmed"))
            #expect(try await self.email(server, of: account) == "new@example.org")
            let told = try await server.outbox()
            #expect(told.map(\.kind) == [.addressChanged])
            #expect(told.map { $0.recipient.reveal() } == ["old@example.org"])
            // A link works once.
            #expect(try await server.send("POST", "/email/\(Self.code)").status == 404)
        }
    }

    @Test func racingButtonsChangeTheAddressOnce() async throws {
        try await withServer(Self.mail) { server in
            let account = try await server.account()
            try await self.setEmail(server, of: account, to: "old@example.org")
            try await self.askForChange(server, of: account)
            let statuses = try await race(8) { _ in try await server.send("POST", "/email/\(Self.code)").status }
            #expect(statuses.count { $0 == 200 } == 1)
            #expect(try await server.outbox().count == 1)
        }
    }

    @Test func anAccountIsActivatedByTheLinkOfItsMailAndToldSo() async throws {
        try await withServer(Self.mail) { server in
            let account = try await server.account(isActive: false)
            let code = "abcdefghijklm"
            try await self.setEmail(server, of: account, to: "alice@example.org")
            try await server.services.database.execute(
                """
                INSERT INTO flexi.activation_codes (account_id, purpose, code_hash)
                VALUES (\(account.id), 'email', \(SHA256.hash(code)))
                """
            )
            #expect(try await server.get("/email/\(code)").text.contains("Activate your account"))
            let reply = try await server.send("POST", "/email/\(code)")
            #expect(reply.status == 200)
            #expect(reply.text.contains("Your account is active"))
            let isActive = try await server.services.database.query(
                "SELECT activated FROM flexi.accounts WHERE id = \(account.id)")[0].decode(Bool.self)
            #expect(isActive)
            #expect(try await server.outbox().map(\.kind) == [.registrationConfirmed])
        }
    }

    @Test func anExpiredAnUnknownAndAMalformedLinkAreOnePage() async throws {
        try await withServer(Self.mail) { server in
            let account = try await server.account()
            try await self.askForChange(server, of: account, expiringIn: 60)
            server.clock.advance(by: .seconds(61))
            var pages: Set<String> = []
            for code in [Self.code, "0000000000000000", "1234", "%00"] {
                for method in ["GET", "POST"] {
                    let reply = try await server.send(method, "/email/\(code)")
                    #expect(reply.status == 404)
                    #expect(reply.header("Content-Type") == "text/html; charset=utf-8")
                    pages.insert(reply.text)
                }
            }
            #expect(pages.count == 1)
            #expect(try await self.email(server, of: account) == nil)
        }
    }

    @Test func aLinkOfADeactivatedAccountOrASuspendedDomainDoesNotWork() async throws {
        try await withServer(Self.mail) { server in
            let account = try await server.account()
            try await self.askForChange(server, of: account)
            try await server.services.database.execute("UPDATE flexi.domains SET suspended = true")
            #expect(try await server.send("POST", "/email/\(Self.code)").status == 404)
            try await server.services.database.execute("UPDATE flexi.domains SET suspended = false")
            try await server.services.database.execute("UPDATE flexi.accounts SET activated = false, blocked = true")
            #expect(try await server.send("POST", "/email/\(Self.code)").status == 404)
            #expect(try await self.email(server, of: account) == nil)
        }
    }

    @Test func aPageIsNotKeptRunsNothingAndTellsNobodyItsAddress() async throws {
        try await withServer(Self.mail) { server in
            let account = try await server.account()
            try await self.askForChange(server, of: account)
            for path in ["/email/\(Self.code)", "/email/unknownunknown"] {
                let reply = try await server.get(path)
                let policy = try #require(reply.header("Content-Security-Policy"))
                #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
                #expect(policy.contains("style-src 'sha256-") && !policy.contains("unsafe"))
                #expect(reply.header("Cache-Control") == "no-store")
                #expect(reply.header("Referrer-Policy") == "no-referrer")
                #expect(reply.header("X-Content-Type-Options") == "nosniff")
                #expect(!reply.text.contains("<script"))
                #expect(!server.log.lines.joined().contains(Self.code))
            }
        }
    }

    @Test func aPageSpeaksTheLanguageThatIsAskedFor() async throws {
        try await withServer(Self.mail) { server in
            let reply = try await server.get(
                "/email/unknownunknown", [("Accept-Language", "de, fr-CA;q=0.8, en;q=0.5")])
            #expect(reply.header("Content-Language") == "fr")
            #expect(reply.text.contains("<html lang=\"fr\">"))
            #expect(reply.text.contains("Ce lien ne fonctionne pas"))
        }
    }

    @Test func guessesOfOneNetworkAreLimited() async throws {
        try await withServer(Self.mail.merging(["RATE_LIMIT_CODES_PER_MINUTE": "3"]) { $1 }) { server in
            var statuses: [Int] = []
            for index in 0..<5 { statuses.append(try await server.get("/email/unknownunknown\(index)").status) }
            #expect(statuses.prefix(3).allSatisfy { $0 == 404 })
            #expect(statuses.last == 429)
        }
    }

    @Test func aMailThatAnAppAskedForLeadsToTheChangedAccount() async throws {
        try await withServer(Self.mail) { server in
            try await Neighbour.with("mail_server.py") { mailServer in
                let account = try await server.account()
                let key = try await server.apiKey(of: account)
                let gateways = try Gateways(
                    ServerConfiguration(environment: [
                        "FLEXI_SECRET_KEY": TestServer.secretKey, "MAIL_DRIVER": "smtp", "MAIL_HOST": "127.0.0.1",
                        "MAIL_PORT": "\(mailServer.port)", "MAIL_ENCRYPTION": "none",
                        "MAIL_FROM_ADDRESS": "service@example.org",
                    ]))
                try await server.withOutboxService(gateways) {
                    let asked = try await server.post(
                        "/api/accounts/me/email/request", [("x-api-key", key), ("Accept-Language", "fr")],
                        json: #"{"email": "alice@example.org"}"#)
                    #expect(asked.status == 200)
                    await wait { mailServer.taken.count == 1 }
                    let mail = try await ParsedMail(#require(mailServer.taken.first?["content"]))
                    #expect(mail.headers["Subject"] == "Confirmez votre nouvelle adresse e-mail")
                    #expect(mail.defects == [])
                    let links = try mail.parts.map { part in
                        try #require(
                            part.text.firstMatch(of: /http:\/\/localhost:8080(\/email\/[0-9A-Za-z]+)/)?.output.1)
                    }
                    #expect(links.count == 2 && links[0] == links[1])
                    #expect(try await server.get(String(links[0])).status == 200)
                    #expect(try await server.send("POST", String(links[0])).status == 200)
                    #expect(try await self.email(server, of: account) == "alice@example.org")
                    try await server.waitForEmptyOutbox()
                }
                #expect(mailServer.taken.count == 1)
            }
        }
    }
}
