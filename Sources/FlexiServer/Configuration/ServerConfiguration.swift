import Configuration
import FoundationEssentials
import Logging
import OpenSSLCrypto
import PGClient

/// Every setting, read once at start. `Settings` says what each key means.
struct ServerConfiguration: Sendable {
    let appURL: PublicURL
    let sipDomain: DomainName
    let managesManyDomains: Bool
    let isStrictAboutDomains: Bool
    let isInfoEnabled: Bool
    let maximumBodyBytes: Int
    let maximumConnections: Int
    let trustedProxies: [NetworkRange]
    /// A minute's; 0 is no limit.
    let rateLimits: [RateLimit: Int]

    /// Realm of domains that have none of their own; `nil` where each domain's name is its realm.
    let accountRealm: String?
    let minimumUsernameLength: Int
    let allowsPhoneUsernames: Bool
    let minimumPasswordLength: Int
    let passwordHashes: PasswordHashPolicy
    let creationTokensActivate: Bool
    /// How long an account's own API key lives without being used; `nil` is for ever.
    let apiKeyIdleExpiry: Duration?
    let nonceLifetime: Duration

    /// How often the server deletes what has expired; `nil` where it leaves that to others.
    let housekeepingInterval: Duration?
    /// How long things are kept; 0 is for ever.
    let tombstoneDays: Int
    let unconfirmedAccountDays: Int
    let creationTokenDays: Int
    /// How long an expired code can still be told from a wrong one.
    let expiredCodeDays: Int

    /// What every client is given, whoever it is: the entries of the RC file.
    let provisioningTemplate: ProvisioningDocument
    let provisioningOverwritesAll: Bool

    /// What the service calls itself to people.
    let appName: String
    let defaultLanguage: Language
    /// The words of mails, short messages and pages.
    let templates: MessageTemplates
    let allowsLogDrivers: Bool
    let outbox: OutboxConfiguration
    /// `nil` where no mail can be sent.
    let mail: MailConfiguration?
    /// `nil` where no short message can be sent.
    let sms: SMSConfiguration?
    let neighbours: NeighbourConfiguration

    let secretKey: SecretKey
    let previousSecretKey: SecretKey?
    let database: PGConfiguration
    let adminPassword: Secret<String>?

    let logLevel: Logger.Level
    let logFormat: LogFormat

    /// What an operator should hear once.
    let warnings: [String]

    /// `environment` is the process's; what it sets goes before the same keys of the env file.
    ///
    /// - Throws: `ConfigurationError` for the first thing that is wrong.
    init(environment: [String: String], environmentFile path: String? = nil) throws(ConfigurationError) {
        var values = try path.map { path throws(ConfigurationError) in try EnvironmentFile.read(path) } ?? [:]
        // Empty counts as unset: an example file lists every key.
        values.merge(environment.filter { !$0.value.isEmpty }) { _, fromProcess in fromProcess }
        values = values.filter { !$0.value.isEmpty }
        let reader = SettingReader(values)

        if try reader.read(Setting("APP_EVERYONE_IS_ADMIN", default: false, "")) {
            throw ConfigurationError(
                "APP_EVERYONE_IS_ADMIN=true is refused: it gives every account to everybody; make administrators by create-admin"
            )
        }
        self.appURL = try reader.read(Settings.appURL)
        self.sipDomain = try reader.read(Settings.sipDomain)
        self.managesManyDomains = try reader.read(Settings.managesManyDomains)
        self.isStrictAboutDomains = try reader.read(Settings.isStrictAboutDomains)
        self.isInfoEnabled = try reader.read(Settings.isInfoEnabled)
        self.maximumBodyBytes = try reader.read(Settings.maximumBodyBytes)
        self.maximumConnections = try reader.read(Settings.maximumConnections) ?? ConnectionLimit.ofProcess
        self.trustedProxies = try reader.read(Settings.trustedProxies)
        self.rateLimits = try [
            .requests: reader.read(Settings.rateLimit), .failures: reader.read(Settings.rateLimit),
            .authentication: reader.read(Settings.authenticationRateLimit),
            .codes: reader.read(Settings.codesRateLimit), .info: reader.read(Settings.infoRateLimit),
            .push: reader.read(Settings.pushRateLimit), .sms: reader.read(Settings.smsRateLimit),
            .mail: reader.read(Settings.mailRateLimit),
        ]
        self.accountRealm = try reader.read(Settings.accountRealm)
        self.minimumUsernameLength = try reader.read(Settings.minimumUsernameLength)
        self.allowsPhoneUsernames = try reader.read(Settings.allowsPhoneUsernames)
        self.minimumPasswordLength = try reader.read(Settings.minimumPasswordLength)
        self.passwordHashes = try reader.read(Settings.passwordHashes)
        self.creationTokensActivate = try reader.read(Settings.creationTokenActivates)
        let minutes = try reader.read(Settings.apiKeyExpirationMinutes)
        self.apiKeyIdleExpiry = minutes == 0 ? nil : .seconds(60 * minutes)
        self.nonceLifetime = try .seconds(reader.read(Settings.nonceLifetimeSeconds))
        let interval = try reader.read(Settings.housekeepingMinutes)
        self.housekeepingInterval = interval == 0 ? nil : .seconds(60 * interval)
        self.tombstoneDays = try reader.read(Settings.tombstoneDays)
        self.unconfirmedAccountDays = try reader.read(Settings.unconfirmedAccountDays)
        self.creationTokenDays = try reader.read(Settings.creationTokenDays)
        self.expiredCodeDays = try reader.read(Settings.expiredCodeDays)
        self.provisioningTemplate = try Self.provisioningTemplate(reader)
        self.provisioningOverwritesAll = try reader.read(Settings.provisioningOverwritesAll)
        self.appName = try reader.read(Settings.appName)
        self.defaultLanguage = try reader.read(Settings.defaultLanguage)
        self.templates = try MessageTemplates(reader, service: self.appName, appURL: self.appURL)
        self.allowsLogDrivers = try reader.read(Settings.allowsLogDrivers)
        self.outbox = try OutboxConfiguration(reader)
        self.mail = try MailConfiguration(reader, senderName: self.appName)
        self.sms = try SMSConfiguration(reader)
        self.neighbours = try NeighbourConfiguration(reader)
        self.secretKey = try Self.secretKey(reader)
        self.previousSecretKey = try reader.read(Settings.previousSecretKey)
        var database = try PGConfiguration(reader.read(Settings.databaseURL) ?? "")
        database.applicationName = "FlexiServer"
        if let size = try reader.read(Settings.databasePoolSize) { database.pool.maximum = size }
        // A thousand callers wait for milliseconds; whoever waits for long is refused by the acquire timeout.
        database.pool.queueLimit = 1_000
        do {
            try database.validate()
        } catch {
            throw ConfigurationError("DATABASE_URL cannot be read as a connection string: \(error.message)")
        }
        self.database = database
        self.adminPassword = try reader.read(Settings.adminPassword).map { Secret($0) }
        self.logLevel = try reader.read(Settings.logLevel)
        self.logFormat = try reader.read(Settings.logFormat)
        self.warnings = Self.warnings(values.keys) + (self.mail?.warnings ?? [])
    }

    private static func secretKey(_ reader: SettingReader) throws(ConfigurationError) -> SecretKey {
        if let key = try reader.read(Settings.secretKey) { return key }
        guard let path = try reader.read(Settings.secretKeyFile) else {
            throw ConfigurationError(
                "FLEXI_SECRET_KEY is missing: set it, or FLEXI_SECRET_KEY_FILE, to 32 random bytes in base64 (openssl rand -base64 32)"
            )
        }
        guard let key = try SecretKey(base64: self.text(of: path, for: Settings.secretKeyFile)) else {
            throw ConfigurationError("FLEXI_SECRET_KEY_FILE: \(path) does not hold 32 bytes in base64")
        }
        return key
    }

    private static func provisioningTemplate(_ reader: SettingReader) throws(ConfigurationError) -> ProvisioningDocument
    {
        guard let path = try reader.read(Settings.provisioningRCFile) else { return ProvisioningDocument() }
        let text = try self.text(of: path, for: Settings.provisioningRCFile)
        do {
            return try RCFile.parse(text)
        } catch {
            throw ConfigurationError("ACCOUNT_PROVISIONING_RC_FILE: \(path), \(error)")
        }
    }

    private static func text(of path: String, for setting: some DocumentedSetting) throws(ConfigurationError) -> String
    {
        do {
            return try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            throw ConfigurationError("\(setting.name): \(path) cannot be read")
        }
    }

    private static func warnings(_ names: some Collection<String>) -> [String] {
        var warnings: [String] = []
        if names.contains("APP_KEY") {
            warnings.append(
                "APP_KEY is ignored: the reference system showed it to everybody; FLEXI_SECRET_KEY takes its place")
        }
        let ignored = names.filter { name in
            Settings.withoutMeaning.contains { known in
                known.last == "*" ? name.hasPrefix(known.dropLast()) : name == known
            }
        }
        if !ignored.isEmpty {
            warnings.append("these settings have no meaning here: \(ignored.sorted().joined(separator: ", "))")
        }
        return warnings
    }
}

extension ServerConfiguration {
    /// Refuses `log` drivers, which show codes to whoever reads the log, unless the server listens to this machine alone or the
    /// operator has allowed them.
    func requireHarmlessDrivers(listeningOn hostname: String) throws(ConfigurationError) {
        let drivers = [
            (Settings.mailDriver.name, self.mail?.isLog), (Settings.smsDriver.name, self.sms?.isLog),
        ].compactMap { name, isLog in isLog == true ? name : nil }
        let isLocal =
            hostname.lowercased() == "localhost"
            || ["127.0.0.0/8", "::1"].compactMap { NetworkRange($0) }.contains { $0.contains(hostname) }
        guard !drivers.isEmpty, !isLocal, !self.allowsLogDrivers else { return }
        throw ConfigurationError(
            "\(drivers.joined(separator: " and "))=log shows codes to whoever reads standard error, and the server is to listen on "
                + "\(hostname): set ALLOW_LOG_DRIVERS=true if that is meant")
    }
}

/// Reads settings from the merged environment.
struct SettingReader {
    fileprivate let config: ConfigReader

    init(_ values: [String: String]) {
        self.config = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: values))
    }

    func read<Value>(_ setting: Setting<Value>) throws(ConfigurationError) -> Value {
        guard let text = self.config.string(forKey: ConfigKey([setting.name]), isSecret: setting.isSecret) else {
            return setting.defaultValue
        }
        // What the reference system writes for a key that is unset.
        if text == "null" { return setting.defaultValue }
        guard let value = setting.parse(text) else {
            let shown = setting.isSecret ? "" : ", not \"\(text)\""
            throw ConfigurationError("\(setting.name) must be \(setting.expected)\(shown)")
        }
        return value
    }
}

extension SettingReader {
    func isSet(_ setting: some DocumentedSetting) -> Bool {
        self.config.string(forKey: ConfigKey([setting.name]), isSecret: setting.isSecret) != nil
    }

    /// A key that another one's value makes necessary.
    func require<Value>(_ setting: Setting<Value?>, by reason: String) throws(ConfigurationError) -> Value {
        guard let value = try self.read(setting) else {
            throw ConfigurationError("\(setting.name) is missing: \(reason) needs it")
        }
        return value
    }
}
