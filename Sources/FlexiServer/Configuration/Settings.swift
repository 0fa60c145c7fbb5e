import Logging
import OpenSSLCrypto

/// The one table of configuration keys. docs/configuration.md shows it, and a test compares the two.
enum Settings {
    // MARK: Service

    static let appURL = Setting(
        "APP_URL", type: "URL", expected: "a URL such as https://sip.example.org",
        default: PublicURL.local, as: PublicURL.local.text,
        meaning:
            "Where clients reach the server: links and QR codes begin with it, and with https cookies are marked Secure."
    ) { PublicURL($0) }
    static let sipDomain = Setting(
        "APP_SIP_DOMAIN", type: "domain", expected: "a domain name",
        default: Self.exampleDomain, as: Self.exampleDomain.value,
        meaning: "The SIP domain that is served, and the one meant where a request names none."
    ) { DomainName($0) }
    static let managesManyDomains = Setting(
        "APP_ADMINS_MANAGE_MULTI_DOMAINS", default: false,
        "Serve every registered domain: super administrators act in all of them, the others in their own.")
    static let isStrictAboutDomains = Setting(
        "DOMAINS_STRICT", default: false,
        "With many domains, refuse an account in a domain that is not registered instead of registering it.")
    static let isInfoEnabled = Setting(
        "INFO_ENABLED", default: true, "Answer the public question whether an account exists (accounts/{sip}/info).")
    static let maximumBodyBytes = Setting(
        "MAX_BODY_BYTES", default: 65_536, in: 1_024...16_777_216, "Larger request bodies are refused with 413.")
    static let maximumConnections = Setting<Int?>(
        optional: "MAX_CONNECTIONS", type: "number", expected: "a whole number from 1 to 1000000",
        meaning:
            "Clients that are connected at a time, others wait; unset, as many as leave a quarter of the files that the process may open, and no fewer than 128."
    ) { text -> Int? in Int(text).flatMap { (1...1_000_000).contains($0) ? $0 : nil } }
    static let trustedProxies = Setting(
        "TRUSTED_PROXIES", type: "list of networks",
        expected: "a list of IP addresses or networks such as 10.0.0.0/8, separated by commas",
        default: [NetworkRange](), as: "",
        meaning: "Proxies whose X-Forwarded-For header is believed; from anybody else it is ignored."
    ) { NetworkRange.list($0) }

    // MARK: Rate limits

    static let rateLimit = Setting(
        "RATE_LIMIT_PER_MINUTE", default: 600, in: Self.rates,
        "Requests a minute of one account, or of one address where nobody has proved who they are, and failed proofs of one address."
    )
    static let authenticationRateLimit = Setting(
        "RATE_LIMIT_AUTH_PER_MINUTE", default: 20, in: Self.rates,
        "Wrong passwords a minute for one account from one address.")
    static let codesRateLimit = Setting(
        "RATE_LIMIT_CODES_PER_MINUTE", default: 10, in: Self.rates,
        "Wrong codes a minute for one account from one address.")
    static let infoRateLimit = Setting(
        "RATE_LIMIT_INFO_PER_MINUTE", default: 60, in: Self.rates,
        "Public questions a minute whether an account exists, from one address.")
    static let pushRateLimit = Setting(
        "RATE_LIMIT_PUSH_PER_MINUTE", default: 10, in: Self.rates,
        "Push notifications a minute asked for from one address.")
    static let smsRateLimit = Setting(
        "RATE_LIMIT_SMS_PER_MINUTE", default: 3, in: Self.rates,
        "Short messages a minute to one number, and asked for by one account or from one address.")
    static let mailRateLimit = Setting(
        "RATE_LIMIT_MAIL_PER_MINUTE", default: 3, in: Self.rates,
        "Mails a minute to one mailbox, and asked for by one account or from one address.")

    private static let rates = 0...1_000_000

    // MARK: Accounts

    static let accountRealm = Setting<String?>(
        optional: "ACCOUNT_REALM", type: "text",
        expected: "a text of at most 253 characters without quotes or line breaks",
        meaning:
            "Digest realm of domains without one of their own; unset, it is the domain's name. Passwords are bound to it: "
            + "after a change the old ones open nothing."
    ) { text -> String? in
        (1...253).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != 0x22 && $0 != 0x5C }
            ? text : nil
    }
    static let minimumUsernameLength = Setting(
        "ACCOUNT_USERNAME_MIN_LENGTH", default: 6, in: 1...64, "Shortest user name of a new account.")
    static let allowsPhoneUsernames = Setting(
        "ACCOUNT_USERNAME_ALLOW_PHONE", default: false, "Accept user names that look like phone numbers.")
    static let minimumPasswordLength = Setting(
        "ACCOUNT_PASSWORD_MIN_LENGTH", default: 6, in: 1...1_024, "Shortest new password, in characters.")
    static let passwordHashes = Setting(
        "ACCOUNT_PASSWORD_HASHES", default: PasswordHashPolicy.asked,
        "Which hashes are kept: the one that the request asks for, or MD5 and SHA-256 both.")
    static let creationTokenActivates = Setting(
        "CREATION_TOKEN_ACTIVATES", default: true,
        "An account made with a creation token, and without email or phone to confirm, is activated at once.")
    static let apiKeyExpirationMinutes = Setting(
        "APP_API_KEY_EXPIRATION_MINUTES", default: 60, in: 0...525_600,
        "An account's own API key expires when it was not used for so long; 0 is never.")
    static let nonceLifetimeSeconds = Setting(
        "NONCE_LIFETIME_SECONDS", default: 300, in: 10...86_400, "How long a digest nonce is valid.")

    // MARK: Housekeeping

    static let housekeepingMinutes = Setting(
        "HOUSEKEEPING_INTERVAL_MINUTES", default: 10, in: 0...10_080,
        "How often the server deletes what has expired; 0 leaves that to `FlexiServer housekeeping`.")
    static let tombstoneDays = Setting(
        "TOMBSTONE_DAYS", default: 0, in: Self.days,
        "After how many days the public may take the name of a deleted account again; 0 is never.")
    static let unconfirmedAccountDays = Setting(
        "UNCONFIRMED_ACCOUNT_DAYS", default: 30, in: Self.days,
        "After how many days an account that was never activated is deleted; 0 is never.")
    static let creationTokenDays = Setting(
        "ACCOUNT_CREATION_TOKEN_DAYS", default: 30, in: Self.days,
        "How many days an account creation token can be used; 0 is for ever.")
    static let expiredCodeDays = Setting(
        "EXPIRED_CODE_DAYS", default: 30, in: Self.days,
        "For how many days somebody with an expired code is told that it has expired, and not that it is wrong.")

    private static let days = 0...36_500

    // MARK: Provisioning

    static let provisioningRCFile = Setting<String?>(
        "ACCOUNT_PROVISIONING_RC_FILE", type: "path", "Linphone configuration file whose entries every client is given."
    )
    static let provisioningOverwritesAll = Setting(
        "ACCOUNT_PROVISIONING_OVERWRITE_ALL", default: false,
        "Mark every provisioned entry to replace what the client has.")

    // MARK: Messages

    static let appName = Setting(
        "APP_NAME", type: "text", expected: "a text of 1 to 64 characters without line breaks",
        default: "FlexiServer", as: "FlexiServer",
        meaning: "What the service calls itself in mails, short messages and pages."
    ) { text in (1...64).contains(text.count) && !text.contains(where: \.isNewline) ? text : nil }
    static let defaultLanguage = Setting(
        "DEFAULT_LANGUAGE", default: Language.english,
        "Language of messages and pages for whoever asks for none that there is.")
    static let templatesFolder = Setting<String?>(
        "TEMPLATES_FOLDER", type: "path",
        "Folder of templates that replace those of the same name (`FlexiServer templates` writes them all).")
    static let registrarAddress = Setting<String?>(
        "ACCOUNT_PROXY_REGISTRAR_ADDRESS", "SIP proxy that the mail about a new account names.")
    static let transportText = Setting<String?>(
        "ACCOUNT_TRANSPORT_PROTOCOL_TEXT",
        "Transport that the mail about a new account names, such as TLS (recommended).")
    static let allowsLogDrivers = Setting(
        "ALLOW_LOG_DRIVERS", default: false,
        "Accept a `log` driver, which shows codes to whoever reads standard error, also when the server listens to others than this machine."
    )
    static let outboxDeadlineSeconds = Setting(
        "OUTBOX_DEADLINE_SECONDS", default: 30, in: 1...600, "How long one attempt to deliver a message may take.")
    static let outboxRetryHours = Setting(
        "OUTBOX_RETRY_HOURS", default: 24, in: 1...720,
        "How long a message is tried; one with a code no longer than the code is valid.")
    static let outboxKeepDays = Setting(
        "OUTBOX_KEEP_DAYS", default: 30, in: 1...3_650,
        "How long the record of a delivered message, and a message that was given up, are kept.")
    static let outboxConcurrency = Setting(
        "OUTBOX_CONCURRENCY", default: 4, in: 1...64,
        "How many mails, and how many short messages, one process delivers at a time.")

    // MARK: Mail

    static let mailDriver = Setting<MailDriver?>(
        choice: "MAIL_DRIVER", "How mail is sent; unset, what needs mail is refused with 503.")
    static let mailHost = Setting<String?>("MAIL_HOST", type: "host", "Mail server; required by smtp.")
    static let mailPort = Setting<Int?>(
        optional: "MAIL_PORT", type: "number", expected: "a whole number from 1 to 65535",
        meaning: "Its port; unset, 587 with tls, 465 with ssl, 25 with none."
    ) { text -> Int? in Int(text).flatMap { (1...65_535).contains($0) ? $0 : nil } }
    static let mailEncryption = Setting(
        "MAIL_ENCRYPTION", type: "one of tls, ssl, none", expected: "one of tls, ssl, none",
        default: MailEncryption.tls,
        as: "tls",
        meaning:
            "Encrypt after STARTTLS and never go on without it (tls), from the first byte (ssl), or not at all (none)."
    ) { MailEncryption($0) }
    static let mailUsername = Setting<String?>(
        "MAIL_USERNAME", "User name at the mail server; unset, it is not logged in to.")
    static let mailPassword = Setting<String?>("MAIL_PASSWORD", isSecret: true, "Password of that user.")
    static let mailFromAddress = Setting<EmailAddress?>(
        optional: "MAIL_FROM_ADDRESS", type: "mail address", expected: "a mail address",
        meaning: "Address that mail comes from; required by smtp."
    ) { EmailAddress($0) }
    static let mailFromName = Setting<String?>("MAIL_FROM_NAME", "Name that mail comes from; unset, `APP_NAME`.")
    static let mailVerifiesPeer = Setting(
        "MAIL_VERIFY_PEER", default: true, "Refuse a mail server whose certificate no known authority has signed.")
    static let mailVerifiesPeerName = Setting(
        "MAIL_VERIFY_PEER_NAME", default: true, "Refuse a mail server whose certificate names another host.")
    static let mailAllowsSelfSigned = Setting(
        "MAIL_ALLOW_SELF_SIGNED", default: false,
        "Accept a certificate whoever signed it, if its name is right; `MAIL_CA_FILE` is better.")
    static let mailCAFile = Setting<String?>(
        "MAIL_CA_FILE", type: "path",
        "Certificates (PEM) of the authorities that the mail server's may be signed by; unset, the system's.")

    // MARK: Short messages

    static let smsDriver = Setting<SMSDriver?>(
        choice: "SMS_DRIVER", "How short messages are sent; unset, what needs them is refused with 503.")
    static let smsSender = Setting<String?>("SMS_SENDER", "Sender that the webhook is told.")
    static let smsWebhookURL = Setting<String?>(
        "SMS_WEBHOOK_URL", type: "URL", isSecret: true, "Where `webhook` posts messages; required by it.")
    static let smsWebhookToken = Setting<String?>(
        "SMS_WEBHOOK_TOKEN", isSecret: true, "Sent to the webhook as a bearer token.")
    static let ovhEndpoint = Setting(
        "OVH_APP_ENDPOINT", type: "ovh-eu, ovh-ca or URL", expected: "ovh-eu, ovh-ca or a URL",
        default: SMSConfiguration.OVH.europe, as: "ovh-eu", meaning: "OVH's interface."
    ) { SMSConfiguration.OVH.endpoint($0) }
    static let ovhKey = Setting<String?>("OVH_APP_KEY", "Key of the application at OVH; required by ovh.")
    static let ovhSecret = Setting<String?>("OVH_APP_SECRET", isSecret: true, "Its secret; required by ovh.")
    static let ovhConsumerKey = Setting<String?>(
        "OVH_APP_CONSUMER_KEY", isSecret: true, "Consumer key with the right to use /sms; required by ovh.")
    static let ovhSender = Setting<String?>(
        "OVH_APP_SENDER", "Sender registered at OVH; unset, OVH's own short number.")
    static let ovhService = Setting<String?>(
        "OVH_APP_SERVICE", "SMS service at OVH; unset, the first that the key may use.")
    static let smsCountries = Setting(
        "SMS_COUNTRIES", type: "list of prefixes",
        expected: "a list of country codes such as 33,32,1514 separated by commas",
        default: [String](), as: "",
        meaning: "Beginnings of the numbers that short messages may go to; unset, all."
    ) { SMSConfiguration.prefixes($0) }
    static let smsPerAccount = Setting(
        "SMS_DAILY_PER_ACCOUNT", default: 5, in: 0...1_000_000,
        "Short messages a day for one account; 0 does not limit them.")
    static let smsPerNumber = Setting(
        "SMS_DAILY_PER_NUMBER", default: 5, in: 0...1_000_000,
        "Short messages a day to one number; 0 does not limit them.")
    static let smsPerAddress = Setting(
        "SMS_DAILY_PER_ADDRESS", default: 20, in: 0...1_000_000,
        "Short messages a day that one client address may ask for (an IPv6 address counts by its /64); 0 does not limit them."
    )
    static let smsTotal = Setting(
        "SMS_DAILY_TOTAL", default: 1_000, in: 0...100_000_000, "Short messages a day in all; 0 does not limit them.")

    // MARK: Neighbours

    static let pusherPath = Setting(
        pathOf: "APP_FLEXISIP_PUSHER_PATH",
        "Flexisip's program flexisip_pusher, which sends account creation tokens to phones. Unset, none are sent.")
    static let firebaseKeyFile = Setting(
        pathOf: "FLEXISIP_PUSHER_FIREBASE_KEY_FILE",
        "Key of a Firebase service account, which flexisip_pusher reads itself. Android phones get no push without it.")
    static let linphoneDaemonPath = Setting(
        pathOf: "APP_LINPHONE_DAEMON_UNIX_PATH",
        "Socket of the linphone-daemon that sends SIP messages. Unset, none are sent.")
    static let registrar = Setting<RegistrarKind?>(
        choice: "REGISTRAR",
        "Where devices are listed and removed. Unset, it is flexisip where APP_FLEXISIP_PROXY_PID is set, else nowhere."
    )
    static let flexisipProcessIDFile = Setting(
        pathOf: "APP_FLEXISIP_PROXY_PID", default: "/var/run/flexisip-proxy.pid",
        "File with the process id of Flexisip's proxy, after which its control socket is named.")
    static let flexisipSocketDirectory = Setting(
        pathOf: "FLEXISIP_SOCKET_DIRECTORY", default: "/tmp",
        "Where that socket lies; another folder where the proxy has a /tmp of its own.")
    static let registrarURL = Setting<String?>(
        "REGISTRAR_URL", type: "URL", isSecret: true,
        "Database of Kamailio's usrloc module, in the forms of DATABASE_URL.")
    static let neighbourTimeoutSeconds = Setting(
        "NEIGHBOUR_TIMEOUT_SECONDS", default: 10, in: 1...60,
        "How long pusher, linphone-daemon and registrar may take, the wait for a free one included; then the answer is 503."
    )

    // MARK: Secrets and database

    static let secretKey = Setting<SecretKey?>(
        secretKey: "FLEXI_SECRET_KEY", "Root of every key. This or FLEXI_SECRET_KEY_FILE is required.")
    static let secretKeyFile = Setting<String?>(
        "FLEXI_SECRET_KEY_FILE", type: "path", "File that holds the key instead.")
    static let previousSecretKey = Setting<SecretKey?>(
        secretKey: "FLEXI_SECRET_KEY_PREVIOUS", "The key before this one: what it sealed can still be opened.")
    static let databaseURL = Setting<String?>(
        "DATABASE_URL", type: "URL", isSecret: true,
        "PostgreSQL, as a URL or as keywords; unset, libpq's own variables (PGHOST, PGUSER, …) decide.")
    static let databasePoolSize = Setting<Int?>(
        optional: "DATABASE_POOL_SIZE", type: "number", expected: "a whole number from 1 to 500",
        meaning:
            "Most connections to the database that one process opens for changes; unset, two for each core and at least four. "
            + "Reads share up to four more."
    ) { text -> Int? in Int(text).flatMap { (1...500).contains($0) ? $0 : nil } }
    static let adminPassword = Setting<String?>(
        "FLEXI_ADMIN_PASSWORD", isSecret: true,
        "Password for `create-admin`, which otherwise reads it from standard input.")

    // MARK: Logs

    static let logLevel = Setting(
        "LOG_LEVEL", default: Logger.Level.info, "What is logged: this and everything more serious.")
    static let logFormat = Setting(
        "LOG_FORMAT", default: LogFormat.auto, "Auto is text on a terminal and a JSON object a line elsewhere.")

    static let all: [any DocumentedSetting] = [
        appURL, sipDomain, managesManyDomains, isStrictAboutDomains, isInfoEnabled, maximumBodyBytes,
        maximumConnections, trustedProxies,
        rateLimit, authenticationRateLimit, codesRateLimit, infoRateLimit, pushRateLimit, smsRateLimit, mailRateLimit,
        accountRealm, minimumUsernameLength, allowsPhoneUsernames, minimumPasswordLength, passwordHashes,
        creationTokenActivates, apiKeyExpirationMinutes,
        nonceLifetimeSeconds,
        housekeepingMinutes, tombstoneDays, unconfirmedAccountDays, creationTokenDays, expiredCodeDays,
        provisioningRCFile, provisioningOverwritesAll,
        appName, defaultLanguage, templatesFolder, registrarAddress, transportText, allowsLogDrivers,
        outboxDeadlineSeconds, outboxRetryHours, outboxKeepDays, outboxConcurrency,
        mailDriver, mailHost, mailPort, mailEncryption, mailUsername, mailPassword, mailFromAddress, mailFromName,
        mailVerifiesPeer, mailVerifiesPeerName, mailAllowsSelfSigned, mailCAFile,
        smsDriver, smsSender, smsWebhookURL, smsWebhookToken,
        ovhEndpoint, ovhKey, ovhSecret, ovhConsumerKey, ovhSender, ovhService,
        smsCountries, smsPerAccount, smsPerNumber, smsPerAddress, smsTotal,
        pusherPath, firebaseKeyFile, linphoneDaemonPath, registrar, flexisipProcessIDFile, flexisipSocketDirectory,
        registrarURL, neighbourTimeoutSeconds,
        secretKey, secretKeyFile, previousSecretKey, databaseURL, databasePoolSize, adminPassword,
        logLevel, logFormat,
    ]

    private static let exampleDomain: DomainName = {
        guard let name = DomainName("sip.example.org") else { preconditionFailure("the example is a domain name") }
        return name
    }()

    /// Keys of the reference system that mean nothing here; those that end in `*` stand for all that begin so.
    static let withoutMeaning = [
        "APP_ENV", "APP_DEBUG", "INSTANCE_*", "WEB_PANEL",
        "PUBLIC_REGISTRATION",
        "PHONE_AUTHENTICATION", "DEVICES_MANAGEMENT", "NEWSLETTER_REGISTRATION_ADDRESS", "TERMS_OF_USE_URL",
        "PRIVACY_POLICY_URL",
        "MAIL_SIGNATURE", "DB_*", "NOCAPTCHA_*",
    ]
}

/// Which hashes of a password are kept.
enum PasswordHashPolicy: String, CaseIterable, Sendable {
    case asked
    case both
}

enum RegistrarKind: String, CaseIterable, Sendable {
    case flexisip
    case kamailio
}

enum LogFormat: String, CaseIterable, Sendable {
    case auto
    case text
    case json
}

extension Setting where Value == SecretKey? {
    init(secretKey name: String, _ meaning: String) {
        self.init(
            optional: name, type: "32 bytes in base64", expected: "32 bytes in base64", isSecret: true,
            meaning: meaning,
            parse: { SecretKey(base64: $0) })
    }
}

extension Setting {
    init(pathOf name: String, _ meaning: String) where Value == String? {
        self.init(
            optional: name, type: "path", expected: "an absolute path", meaning: meaning, parse: { absolutePath($0) })
    }

    init(pathOf name: String, default value: String, _ meaning: String) where Value == String {
        self.init(
            name, type: "path", expected: "an absolute path", default: value, as: value, meaning: meaning,
            parse: { absolutePath($0) })
    }
}

private func absolutePath(_ text: String) -> String? {
    text.hasPrefix("/") && !text.contains(where: \.isNewline) ? text : nil
}
