import ArgumentParser
import FoundationEssentials
import Logging
import OpenSSLCrypto

/// Makes a named API key for a service that acts as an account.
struct CreateKey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create-key", abstract: "Make an API key for a service.",
        discussion: """
            The key is printed once, and kept as a hash only. It stays valid beside the account's own key until it expires, or the \
            account is deactivated or deleted. A name serves once an account.
            """)

    @Argument(help: "SIP address of the account that the service acts as.")
    var address: String

    @Option(help: "What the key is for, such as billing; 1 to 64 characters.")
    var name: String

    @Option(help: "Day on which the key stops working, such as 2027-01-01 (UTC); without it the key stays.")
    var expires: String?

    @OptionGroup var environment: EnvironmentOptions

    func validate() throws {
        guard SIPAddress(self.address) != nil else {
            throw ValidationError("\(self.address) is no SIP address such as admin@sip.example.org")
        }
        guard (1...64).contains(self.name.unicodeScalars.count) else {
            throw ValidationError("a name has 1 to 64 characters")
        }
        if let expires, Self.day(expires) == nil {
            throw ValidationError("\(expires) is no day such as 2027-01-01")
        }
    }

    func run() async throws {
        guard let address = SIPAddress(self.address) else { return }
        let expiresAt = self.expires.flatMap(Self.day)
        let configuration = try self.environment.configuration()
        var logger = Logger(configuration)
        logger.logLevel = .warning
        try await Database.withServices(configuration, logger: logger) { services in
            let now = services.now()
            if let expiresAt, expiresAt <= now { throw CommandFailure("the key would have expired already") }
            let accounts = AccountRepository(services.database, defaultRealm: configuration.accountRealm)
            guard let account = try await accounts.find(address, in: .all) else {
                throw CommandFailure("there is no account \(address)")
            }
            let key = Secret(services.random.token(40))
            let isMade = try await APIKeyRepository(services.database).insert(
                SHA256.hash(key.reveal()), name: self.name, of: account.id, expiresAt: expiresAt, at: now)
            guard isMade else { throw CommandFailure("\(address) has a key of this name already") }
            StandardStreams.writeOutput("\(key.reveal())\n")
        }
    }

    private static func day(_ text: String) -> Date? {
        TimeText.date(plain: "\(text) 00:00:00")
    }
}
