/// How mail is sent.
enum MailConfiguration: Sendable {
    case log
    case smtp(SMTP)

    struct SMTP: Sendable {
        let host: String
        let port: Int
        let encryption: MailEncryption
        let username: String?
        let password: Secret<String>?
        let sender: EmailAddress
        let senderName: String
        /// Whether the certificate must be signed by a known authority.
        let verifiesPeer: Bool
        /// Whether the certificate must name the host.
        let verifiesName: Bool
        let authoritiesFile: String?
    }

    /// `nil` when `MAIL_DRIVER` is unset.
    init?(_ reader: SettingReader, senderName: String) throws(ConfigurationError) {
        switch try reader.read(Settings.mailDriver) {
        case nil: return nil
        case .log: self = .log
        case .smtp: self = try .smtp(SMTP(reader, senderName: senderName))
        }
    }

    var isLog: Bool { if case .log = self { true } else { false } }

    var warnings: [String] {
        guard case .smtp(let smtp) = self else { return [] }
        var warnings: [String] = []
        if smtp.encryption == .none, smtp.username != nil {
            warnings.append("MAIL_ENCRYPTION=none: the mail server's password crosses the network in clear")
        }
        if smtp.encryption != .none, !smtp.verifiesPeer || !smtp.verifiesName {
            warnings.append("the mail server's certificate is not verified: whoever stands in between can read mail")
        }
        return warnings
    }
}

extension MailConfiguration.SMTP {
    init(_ reader: SettingReader, senderName: String) throws(ConfigurationError) {
        let reason = "MAIL_DRIVER=smtp"
        self.host = try reader.require(Settings.mailHost, by: reason)
        guard self.host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"/@?#\\\"".utf8.contains($0) }) else {
            throw ConfigurationError("MAIL_HOST must be the name or address of a host, not \"\(self.host)\"")
        }
        self.encryption = try reader.read(Settings.mailEncryption)
        self.port = try reader.read(Settings.mailPort) ?? self.encryption.defaultPort
        self.username = try reader.read(Settings.mailUsername)
        self.password = try reader.read(Settings.mailPassword).map { Secret($0) }
        if self.username != nil, self.password == nil {
            throw ConfigurationError("MAIL_PASSWORD is missing: MAIL_USERNAME needs it")
        }
        self.sender = try reader.require(Settings.mailFromAddress, by: reason)
        self.senderName = try reader.read(Settings.mailFromName) ?? senderName
        let allowsSelfSigned = try reader.read(Settings.mailAllowsSelfSigned)
        self.verifiesPeer = try reader.read(Settings.mailVerifiesPeer) && !allowsSelfSigned
        self.verifiesName = try reader.read(Settings.mailVerifiesPeerName)
        self.authoritiesFile = try reader.read(Settings.mailCAFile)
    }
}

enum MailDriver: String, CaseIterable, Sendable {
    case smtp
    case log
}

enum MailEncryption: String, Sendable {
    /// STARTTLS (RFC 3207), and nothing is sent without it.
    case tls
    /// TLS from the start (RFC 8314, 3.3).
    case ssl
    case none

    init?(_ text: String) {
        switch text.lowercased() {
        case "tls", "starttls": self = .tls
        case "ssl", "smtps": self = .ssl
        case "none": self = .none
        default: return nil
        }
    }

    var defaultPort: Int {
        switch self {
        case .tls: 587
        case .ssl: 465
        case .none: 25
        }
    }
}
