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

    private let library: MustacheLibrary
    private let configuration: ServerConfiguration

    /// Reads the files of `TEMPLATES_FOLDER`.
    ///
    /// - Throws: `ConfigurationError` for a file that cannot be read, is no template, or replaces none.
    init(_ configuration: ServerConfiguration) throws(ConfigurationError) {
        var texts = Self.builtIn
        if let folder = configuration.templatesFolder {
            texts.merge(try Self.files(in: folder)) { _, replacement in replacement }
        }
        var library = MustacheLibrary()
        for (name, text) in texts {
            do {
                // What stands around an HTML text is itself HTML, so every partial keeps the kind of its name.
                try library.register(name.hasSuffix(".txt") ? "{{% CONTENT_TYPE:TEXT}}\(text)" : text, named: name)
            } catch {
                throw ConfigurationError("TEMPLATES_FOLDER: \(name) is not a Mustache template: \(error)")
            }
        }
        self.library = library
        self.configuration = configuration
        for kind in OutboxMessage.Kind.allCases where kind.channel == .mail {
            for language in Language.allCases {
                let name = "\(kind.rawValue).\(language.rawValue).txt"
                guard texts[name]?.hasPrefix(Self.subjectMark) == true else {
                    throw ConfigurationError(
                        "TEMPLATES_FOLDER: the first line of \(name) must be \"\(Self.subjectMark) …\"")
                }
            }
        }
    }

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

    /// A whole HTML page.
    func page(_ name: String, in language: Language, _ values: [String: String] = [:]) -> String {
        self.render("\(name).\(language.rawValue).html", values.merging(self.commonValues) { own, _ in own })
    }

    private var commonValues: [String: String] {
        ["service": self.configuration.appName]
    }

    private func values(_ message: OutboxMessage) -> [String: String] {
        var values = self.commonValues
        values["address"] = message.address
        let parts = message.address.split(separator: "@", maxSplits: 1).map(String.init)
        values["username"] = parts.first
        values["domain"] = parts.last
        values["proxy"] = self.configuration.registrarAddress
        values["transport"] = self.configuration.transportText
        if let code = message.code?.reveal() {
            values["code"] = code
            values["link"] = self.configuration.appURL.appending("/email/\(code)")
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
