import Foundation
import Testing

@testable import FlexiServer

@Suite("Settings")
struct ServerConfigurationTests {
    @Test func onlyTheSecretKeyIsRequired() throws {
        let configuration = try Self.configuration()
        #expect(configuration.appURL.text == "http://localhost:8080")
        #expect(configuration.sipDomain.value == "sip.example.org")
        #expect(!configuration.managesManyDomains)
        #expect(configuration.accountRealm == nil)
        #expect(configuration.apiKeyIdleExpiry == .seconds(3_600))
        #expect(configuration.nonceLifetime == .seconds(300))
        #expect(configuration.maximumBodyBytes == 65_536)
        #expect(configuration.passwordHashes == .asked)
        #expect(configuration.warnings.isEmpty)
        let error = #expect(throws: ConfigurationError.self) { try ServerConfiguration(environment: [:]) }
        #expect(error?.description.hasPrefix("FLEXI_SECRET_KEY is missing") == true)
    }

    @Test(arguments: [
        (
            "NONCE_LIFETIME_SECONDS", "abc",
            "NONCE_LIFETIME_SECONDS must be a whole number from 10 to 86400, not \"abc\""
        ),
        ("NONCE_LIFETIME_SECONDS", "9", "NONCE_LIFETIME_SECONDS must be a whole number from 10 to 86400, not \"9\""),
        ("MAX_CONNECTIONS", "0", "MAX_CONNECTIONS must be a whole number from 1 to 1000000, not \"0\""),
        ("MAX_BODY_BYTES", "1e6", "MAX_BODY_BYTES must be a whole number from 1024 to 16777216, not \"1e6\""),
        ("INFO_ENABLED", "maybe", "INFO_ENABLED must be true or false, not \"maybe\""),
        (
            "APP_URL", "sip.example.org",
            "APP_URL must be a URL such as https://sip.example.org, not \"sip.example.org\""
        ),
        ("APP_SIP_DOMAIN", "sip_domain", "APP_SIP_DOMAIN must be a domain name, not \"sip_domain\""),
        ("ACCOUNT_PASSWORD_HASHES", "md5", "ACCOUNT_PASSWORD_HASHES must be one of asked, both, not \"md5\""),
        (
            "TRUSTED_PROXIES", "10.0.0.0/33",
            "TRUSTED_PROXIES must be a list of IP addresses or networks such as 10.0.0.0/8, separated by commas, not \"10.0.0.0/33\""
        ),
        (
            "ACCOUNT_REALM", "a\"b",
            "ACCOUNT_REALM must be a text of at most 253 characters without quotes or line breaks, not \"a\"b\""
        ),
        (
            "LOG_LEVEL", "loud",
            "LOG_LEVEL must be one of trace, debug, info, notice, warning, error, critical, not \"loud\""
        ),
        ("FLEXI_SECRET_KEY", "c2hvcnQ=", "FLEXI_SECRET_KEY must be 32 bytes in base64"),
        ("FLEXI_SECRET_KEY_PREVIOUS", "not base64!", "FLEXI_SECRET_KEY_PREVIOUS must be 32 bytes in base64"),
        ("ACCOUNT_PROVISIONING_RC_FILE", "/nowhere/rc", "ACCOUNT_PROVISIONING_RC_FILE: /nowhere/rc cannot be read"),
    ])
    func anInvalidValueStopsTheStartWithOneLine(name: String, value: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) { try Self.configuration([name: value]) }
        #expect(error?.description == message)
    }

    @Test func theKeyMayLieInAFile() throws {
        try Self.withFile(TestServer.secretKey + "\n") { path in
            _ = try ServerConfiguration(environment: ["FLEXI_SECRET_KEY_FILE": path])
        }
        try Self.withFile("too short") { path in
            let error = #expect(throws: ConfigurationError.self) {
                try ServerConfiguration(environment: ["FLEXI_SECRET_KEY_FILE": path])
            }
            #expect(error?.description == "FLEXI_SECRET_KEY_FILE: \(path) does not hold 32 bytes in base64")
        }
    }

    @Test func aBrokenRCFileStopsTheStart() throws {
        try Self.withFile("[sip]\nnonsense") { path in
            let error = #expect(throws: ConfigurationError.self) {
                try Self.configuration(["ACCOUNT_PROVISIONING_RC_FILE": path])
            }
            #expect(error?.description.hasPrefix("ACCOUNT_PROVISIONING_RC_FILE: \(path), line 2: ") == true)
        }
    }

    @Test func makingEverybodyAnAdministratorIsRefused() throws {
        #expect(throws: ConfigurationError.self) { try Self.configuration(["APP_EVERYONE_IS_ADMIN": "true"]) }
        _ = try Self.configuration(["APP_EVERYONE_IS_ADMIN": "false"])
    }

    @Test func keysThatMeanNothingAreNamedInOneWarning() throws {
        let configuration = try Self.configuration([
            "APP_KEY": "base64:x", "DB_HOST": "x", "DB_PASSWORD": "hidden", "NOCAPTCHA_SECRET": "hidden",
            "WEB_PANEL": "true", "APP_ENV": "",
        ])
        #expect(configuration.warnings.count == 2)
        #expect(configuration.warnings[0].hasPrefix("APP_KEY is ignored"))
        #expect(
            configuration.warnings[1]
                == "these settings have no meaning here: DB_HOST, DB_PASSWORD, NOCAPTCHA_SECRET, WEB_PANEL")
    }

    @Test func theEnvironmentGoesBeforeTheFile() throws {
        let file =
            "ACCOUNT_REALM=\"from file\"\nAPP_SIP_DOMAIN=file.example.org\nFLEXI_SECRET_KEY=\(TestServer.secretKey)\n"
        try Self.withFile(file) { path in
            let configuration = try ServerConfiguration(
                environment: ["APP_SIP_DOMAIN": "environment.example.org", "ACCOUNT_REALM": ""], environmentFile: path)
            #expect(configuration.sipDomain.value == "environment.example.org")
            #expect(configuration.accountRealm == "from file")
        }
        #expect(throws: ConfigurationError("the env file /nowhere/.env cannot be read")) {
            try ServerConfiguration(environment: [:], environmentFile: "/nowhere/.env")
        }
    }

    @Test func noSecretIsPrinted() throws {
        let configuration = try Self.configuration([
            "DATABASE_URL": "postgresql://u:hidden1@localhost/x", "FLEXI_ADMIN_PASSWORD": "hidden2",
            "FLEXI_SECRET_KEY_PREVIOUS": TestServer.secretKey,
        ])
        var dumped = ""
        dump(configuration, to: &dumped)
        let printed = dumped + "\(configuration)" + String(reflecting: configuration)
        #expect(!printed.contains("hidden"))
        #expect(!printed.contains(TestServer.secretKey))
        let error = #expect(throws: ConfigurationError.self) {
            try Self.configuration(["DATABASE_URL": "postgresql://u:hidden3@/%zz"])
        }
        #expect(error?.description.contains("hidden") == false)
    }

    static func configuration(_ settings: [String: String] = [:]) throws -> ServerConfiguration {
        try ServerConfiguration(
            environment: settings.merging(["FLEXI_SECRET_KEY": TestServer.secretKey]) { given, _ in given })
    }

    static func withFile(_ text: String, _ body: (String) throws -> Void) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try text.write(to: url, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: url) }
        try body(url.path())
    }
}

@Suite("Public URL")
struct PublicURLTests {
    @Test(arguments: [
        ("https://sip.example.org", "https://sip.example.org", "", true),
        ("HTTPS://sip.example.org/", "https://sip.example.org", "", true),
        ("http://localhost:8080", "http://localhost:8080", "", false),
        ("https://example.org/flexiapi/", "https://example.org/flexiapi", "/flexiapi", true),
    ])
    func aURLHasNoSlashAtItsEnd(raw: String, text: String, path: String, isHTTPS: Bool) throws {
        let url = try #require(PublicURL(raw))
        #expect(url.text == text)
        #expect(url.path == path)
        #expect(url.isHTTPS == isHTTPS)
        #expect(url.appending("/api") == text + "/api")
    }

    @Test(arguments: [
        "", "/", "sip.example.org", "ftp://example.org", "https://", "https:///path", "https://example.org/?a=b",
        "https://example.org/#a",
        "https://user@example.org", "https://exa mple.org", "https://example.org/\"",
    ])
    func anythingElseIsNoPublicURL(raw: String) {
        #expect(PublicURL(raw) == nil)
    }
}

@Suite("Networks")
struct NetworkRangeTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("192.0.2.128/25", "192.0.2.200", true),
        ("192.0.2.128/25", "192.0.2.100", false), ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
        ("0.0.0.0/0", "203.0.113.1", true), ("0.0.0.0/0", "2001:db8::1", false),
        ("2001:db8::/33", "2001:db8:7fff::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false), ("10.0.0.0/8", "::ffff:10.1.1.1", true),
        ("10.0.0.0/8", "nonsense", false),
    ])
    func aNetworkContainsItsAddresses(network: String, address: String, expected: Bool) throws {
        #expect(try #require(NetworkRange(network)).contains(address) == expected)
    }

    @Test(arguments: ["", "10.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "example.org", "::/129"])
    func anythingElseIsNoNetwork(text: String) {
        #expect(NetworkRange(text) == nil)
    }
}
