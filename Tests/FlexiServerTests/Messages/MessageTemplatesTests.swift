import Foundation
import Testing

@testable import FlexiServer

@Suite("Templates")
struct MessageTemplatesTests {
    private func configuration(_ settings: [String: String] = [:]) throws -> ServerConfiguration {
        try ServerConfiguration(
            environment: ["FLEXI_SECRET_KEY": TestServer.secretKey, "APP_URL": "https://sip.example.org/flexi"].merging(
                settings
            ) { $1 })
    }

    private func message(_ content: MailContent, in language: Language) throws -> OutboxMessage {
        try OutboxMessage(
            content, to: #require(EmailAddress("a@example.org")), about: "alice@sip.example.org", in: language)
    }

    @Test(arguments: Language.allCases)
    func everyMailSaysWhatItIsAbout(language: Language) throws {
        let templates = try self.configuration(["APP_NAME": "Télé <&> Co"]).templates
        let code = Secret("abcdefghijklm")
        let contents: [MailContent] = [
            .confirmAddress(code: code), .addressChanged, .activation(code: code), .registrationConfirmed,
        ]
        for content in contents {
            let message = try self.message(content, in: language)
            let words = templates.mail(message)
            #expect(!words.subject.isEmpty && !words.subject.contains("\n"))
            #expect(words.text.contains("alice@sip.example.org") && words.html.contains("alice@sip.example.org"))
            // Escaped in HTML alone.
            #expect(words.text.contains("Télé <&> Co"))
            #expect(words.html.contains("Télé &lt;&amp;&gt; Co") && !words.html.contains("<&>"))
            #expect(words.html.contains("<html lang=\"\(language.rawValue)\">"))
            #expect(!words.text.contains("{{") && !words.html.contains("{{"))
            guard message.code != nil else { continue }
            for text in [words.text, words.html] {
                #expect(text.contains("https://sip.example.org/flexi/email/abcdefghijklm"))
            }
        }
    }

    @Test func theMailAboutANewAccountNamesTheProxyWhereThereIsOne() throws {
        let message = try self.message(.registrationConfirmed, in: .english)
        #expect(try !self.configuration().templates.mail(message).text.contains("Proxy"))
        let words = try self.configuration([
            "ACCOUNT_PROXY_REGISTRAR_ADDRESS": "proxy.example.org", "ACCOUNT_TRANSPORT_PROTOCOL_TEXT": "TLS",
        ]).templates.mail(message)
        #expect(words.text.contains("Proxy: proxy.example.org\nTransport: TLS\n"))
    }

    @Test(arguments: Language.allCases)
    func aShortMessageIsOneAndBeginsWithTheCode(language: Language) throws {
        let message = try OutboxMessage(
            #require(PIN("1234")), to: #require(PhoneNumber("+33612345678")), about: "alice@sip.example.org",
            in: language)
        let text = try self.configuration().templates.shortMessage(message)
        #expect(text.hasPrefix("1234 "))
        #expect(text.count <= 160 && GSMAlphabet.contains(text))
    }

    @Test func everyPageIsThereInEveryLanguage() throws {
        let templates = try self.configuration().templates
        for page in PageName.allCases {
            for language in Language.allCases {
                let html = templates.page(page, in: language, ["address": "<b>@sip.example.org"])
                #expect(html.contains("<html lang=\"\(language.rawValue)\">"))
                #expect(!html.contains("<b>") && !html.contains("{{"))
            }
        }
    }

    @Test func aFileReplacesATemplate() throws {
        try self.withFolder(["address-changed.fr.txt": "Subject: Nouveau\n\nBonjour {{username}} & co"]) { folder in
            let templates = try self.configuration(["TEMPLATES_FOLDER": folder]).templates
            let words = try templates.mail(self.message(.addressChanged, in: .french))
            #expect(words.subject == "Nouveau")
            #expect(words.text == "Bonjour alice & co\n")
            #expect(try templates.mail(self.message(.addressChanged, in: .english)).subject != "Nouveau")
        }
    }

    @Test(arguments: [
        ["adress-changed.fr.txt": "Subject: x"], ["address-changed.fr.txt": "Bonjour"],
        ["page.html": "{{#title}} never ends"],
    ])
    func aFileThatCannotBeUsedStopsTheStart(files: [String: String]) throws {
        try self.withFolder(files) { folder in
            let error = #expect(throws: ConfigurationError.self) {
                try self.configuration(["TEMPLATES_FOLDER": folder])
            }
            #expect(error.map { "\($0)".contains(files.keys.first ?? "") } == true)
        }
        #expect(throws: ConfigurationError.self) { try self.configuration(["TEMPLATES_FOLDER": "/nowhere"]) }
    }

    @Test(
        arguments: [
            (nil, nil), ("", nil), ("fr", .french), ("fr-CA, en;q=0.9", .french), ("en;q=0.8, fr;q=0.9", .french),
            ("de, it", nil), ("de, *", nil), ("*;q=0.1, fr;q=0.5", .french), ("*, fr;q=0.5", nil), ("fr;q=0, de", nil),
            ("FR", .french), ("fr;q=x", nil), (";;,,q=", nil),
        ] as [(String?, Language?)])
    func aHeaderChoosesTheLanguage(header: String?, expected: Language?) {
        #expect(Language(accepted: header) == expected)
    }

    private func withFolder(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "templates-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
        try body(folder.path())
    }
}
