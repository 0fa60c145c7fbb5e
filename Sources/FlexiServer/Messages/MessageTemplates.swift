import Foundation
import Mustache

/// The words of mails, short messages and pages: Mustache templates, built in, each of which a file of the same name may replace.
///
/// A name is `KIND.LANGUAGE.txt` or `.html`; `mail.html` and `page.html` are what stands around every mail and page. Values are escaped
/// in `.html`. The first line of a mail's text is its subject.
struct MessageTemplates: Sendable {
    struct Words: Sendable {
        let subject: String
        let text: String
        let html: String
    }

    /// Every built-in template by its name.
    static let builtIn: [String: String] = [EnglishTemplates.all, FrenchTemplates.all, LayoutTemplates.all].reduce(
        into: [:]
    ) { all, some in all.merge(some) { _, new in new } }

    /// Parsed once for all who replace none or some of them.
    private static let parsed: [String: MustacheTemplate] = Self.builtIn.reduce(into: [:]) { parsed, template in
        do {
            parsed[template.key] = try Self.parse(template.value, as: template.key)
        } catch {
            preconditionFailure("the built-in template \(template.key) is none: \(error)")
        }
    }

    private let library: MustacheLibrary
    /// What every template may name.
    private let commonValues: [String: String]
    private let appURL: PublicURL

    /// Reads the files of `TEMPLATES_FOLDER`.
    ///
    /// - Throws: `ConfigurationError` for a file that cannot be read, is no template, or replaces none.
    init(_ reader: SettingReader, service: String, appURL: PublicURL) throws(ConfigurationError) {
        self.appURL = appURL
        self.commonValues = try [
            "service": service, "proxy": reader.read(Settings.registrarAddress),
            "transport": reader.read(Settings.transportText),
        ].compactMapValues(\.self)
        var templates = Self.parsed
        if let folder = try reader.read(Settings.templatesFolder) {
            for (name, text) in try Self.files(in: folder) {
                if Self.mails.contains(name), !text.hasPrefix(Self.subjectMark) {
                    throw ConfigurationError(
                        "TEMPLATES_FOLDER: the first line of \(name) must be \"\(Self.subjectMark) …\"")
                }
                do {
                    templates[name] = try Self.parse(text, as: name)
                } catch {
                    throw ConfigurationError("TEMPLATES_FOLDER: \(name) is not a Mustache template: \(error)")
                }
            }
        }
        self.library = MustacheLibrary(templates: templates)
    }

    private static func parse(_ text: String, as name: String) throws -> MustacheTemplate {
        try MustacheTemplate(string: name.hasSuffix(".txt") ? "{{% CONTENT_TYPE:TEXT}}\(text)" : text)
    }

    /// Templates of the texts of mails.
    private static let mails: Set<String> = Set(
        OutboxMessage.Kind.allCases.filter { $0.channel == .mail }.flatMap { kind in
            Language.allCases.map { "\(kind.rawValue).\($0.rawValue).txt" }
        })

    private static let subjectMark = "Subject:"

    func mail(_ message: OutboxMessage) -> Words {
        let values = self.values(message)
        let name = "\(message.kind.rawValue).\(message.language.rawValue)"
        let text = self.render("\(name).txt", values)
        let head = text.prefix { !$0.isNewline }
        return Words(
            subject: String(head.dropFirst(Self.subjectMark.count).trimmed),
            text: text.dropFirst(head.count).trimmed + "\n", html: self.render("\(name).html", values))
    }

    func shortMessage(_ message: OutboxMessage) -> String {
        String(self.render("\(message.kind.rawValue).\(message.language.rawValue).txt", self.values(message)).trimmed)
    }

    /// A whole HTML page; the name is that of its template without the language.
    func page(_ name: PageName, in language: Language, _ values: [String: String] = [:]) -> String {
        self.render("\(name.rawValue).\(language.rawValue).html", values.merging(self.commonValues) { own, _ in own })
    }

    private func values(_ message: OutboxMessage) -> [String: String] {
        var values = self.commonValues
        values["address"] = message.address
        let parts = message.address.split(separator: "@", maxSplits: 1).map(String.init)
        values["username"] = parts.first
        values["domain"] = parts.last
        if let code = message.code?.reveal() {
            values["code"] = code
            values["link"] = self.appURL.appending("/email/\(code)")
        }
        return values
    }

    private func render(_ name: String, _ values: [String: String]) -> String {
        guard let text = self.library.render(values, withTemplate: name) else {
            preconditionFailure("there is no template \(name)")
        }
        return text
    }

    private static func files(in folder: String) throws(ConfigurationError) -> [String: String] {
        do {
            var texts: [String: String] = [:]
            for name in try FileManager.default.contentsOfDirectory(atPath: folder)
            where name.hasSuffix(".txt") || name.hasSuffix(".html") {
                guard self.builtIn[name] != nil else {
                    throw ConfigurationError(
                        "TEMPLATES_FOLDER: \(name) is not the name of a template; FlexiServer templates writes all that there are"
                    )
                }
                texts[name] = try String(contentsOf: URL(filePath: folder).appending(path: name), encoding: .utf8)
            }
            return texts
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError("TEMPLATES_FOLDER: \(folder) cannot be read")
        }
    }
}

/// The pages that mails lead to.
enum PageName: String, CaseIterable, Sendable {
    case askConfirmation = "ask-confirmation"
    case askActivation = "ask-activation"
    case addressConfirmed = "address-confirmed"
    case accountActivated = "account-activated"
    case unknownCode = "unknown-code"
    case unavailable
}
