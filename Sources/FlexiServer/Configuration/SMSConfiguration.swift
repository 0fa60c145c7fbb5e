/// How short messages are sent, to whom, and how many.
struct SMSConfiguration: Sendable {
    enum Way: Sendable {
        case log
        case webhook(Webhook)
        case ovh(OVH)
    }

    struct Webhook: Sendable {
        /// May hold a secret of its own.
        let url: Secret<String>
        let token: Secret<String>?
        let sender: String?
    }

    struct OVH: Sendable {
        static let europe = "https://eu.api.ovh.com/1.0"
        static let canada = "https://ca.api.ovh.com/1.0"

        /// Without a slash at its end.
        let endpoint: String
        let key: String
        let secret: Secret<String>
        let consumerKey: Secret<String>
        let sender: String?
        let service: String?
    }

    /// Messages a day (UTC); 0 is no limit.
    struct DailyLimits: Sendable {
        let perAccount: Int
        let perNumber: Int
        let perAddress: Int
        let total: Int
    }

    let way: Way
    let dailyLimits: DailyLimits
    /// Digits that a number may begin with after its plus sign; empty for all.
    let countries: [String]

    /// `nil` when `SMS_DRIVER` is unset.
    init?(_ reader: SettingReader) throws(ConfigurationError) {
        switch try reader.read(Settings.smsDriver) {
        case nil: return nil
        case .log: self.way = .log
        case .webhook: self.way = try .webhook(Webhook(reader))
        case .ovh: self.way = try .ovh(OVH(reader))
        }
        self.countries = try reader.read(Settings.smsCountries)
        self.dailyLimits = try DailyLimits(
            perAccount: reader.read(Settings.smsPerAccount), perNumber: reader.read(Settings.smsPerNumber),
            perAddress: reader.read(Settings.smsPerAddress), total: reader.read(Settings.smsTotal))
    }

    var isLog: Bool { if case .log = self.way { true } else { false } }

    func mayReach(_ number: PhoneNumber) -> Bool {
        self.countries.isEmpty || self.countries.contains { number.value.dropFirst().hasPrefix($0) }
    }

    /// Reads a list of country codes, each with or without its plus sign and with more digits of the number behind it or none.
    static func prefixes(_ text: String) -> [String]? {
        let entries = text.split { $0 == "," || $0.isWhitespace }.map { $0.first == "+" ? $0.dropFirst() : $0 }
        guard !entries.isEmpty, entries.allSatisfy({ CallingCode(beginning: $0) != nil }) else { return nil }
        return entries.map(String.init)
    }
}

extension SMSConfiguration.Webhook {
    init(_ reader: SettingReader) throws(ConfigurationError) {
        let url = try reader.require(Settings.smsWebhookURL, by: "SMS_DRIVER=webhook")
        guard SMSConfiguration.isURL(url) else {
            throw ConfigurationError("SMS_WEBHOOK_URL must be an http or https URL")
        }
        self.url = Secret(url)
        self.token = try reader.read(Settings.smsWebhookToken).map { Secret($0) }
        self.sender = try reader.read(Settings.smsSender)
    }
}

extension SMSConfiguration.OVH {
    init(_ reader: SettingReader) throws(ConfigurationError) {
        let reason = "SMS_DRIVER=ovh"
        self.endpoint = try reader.read(Settings.ovhEndpoint)
        self.key = try reader.require(Settings.ovhKey, by: reason)
        self.secret = try Secret(reader.require(Settings.ovhSecret, by: reason))
        self.consumerKey = try Secret(reader.require(Settings.ovhConsumerKey, by: reason))
        self.sender = try reader.read(Settings.ovhSender)
        self.service = try reader.read(Settings.ovhService)
    }

    static func endpoint(_ text: String) -> String? {
        switch text {
        case "ovh-eu": self.europe
        case "ovh-ca": self.canada
        default: SMSConfiguration.isURL(text) ? (text.last == "/" ? String(text.dropLast()) : text) : nil
        }
    }
}

extension SMSConfiguration {
    fileprivate static func isURL(_ text: String) -> Bool {
        ["https://", "http://"].contains { text.hasPrefix($0) && text.utf8.count > $0.utf8.count }
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
}

enum SMSDriver: String, CaseIterable, Sendable {
    case ovh
    case webhook
    case log
}
