import ArgumentParser
import Logging

/// Creates an activated administrator, or makes an account that exists one.
struct CreateAdmin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create-admin", abstract: "Create an administrator, or promote an account.",
        discussion: """
            The password is read from FLEXI_ADMIN_PASSWORD, or else from the first line of standard input. An account that exists \
            keeps its own where neither has one.
            """)

    @Argument(help: "SIP address, such as admin@sip.example.org.")
    var address: String

    @Flag(name: .customLong("super"), help: "May act in every domain, and make other administrators.")
    var isSuper = false

    @OptionGroup var environment: EnvironmentOptions

    func validate() throws {
        guard let address = SIPAddress(self.address), Username(address.username) != nil else {
            throw ValidationError("\(self.address) is no SIP address such as admin@sip.example.org")
        }
    }

    func run() async throws {
        guard let address = SIPAddress(self.address), let username = Username(address.username) else { return }
        let configuration = try self.environment.configuration()
        let password = self.password(configuration)
        var logger = Logger(configuration)
        logger.logLevel = .warning
        try await Database.withServices(configuration, logger: logger) { services in
            let scope: AdminScope = self.isSuper ? .super : .domain
            let domain = try await DomainRepository(services.database).register(address.domain)
            do {
                let isNew = try await AccountCreation(services: services).createAdmin(
                    username, in: domain, scope: scope, password: password)
                StandardStreams.writeOutput(
                    "\(isNew ? "Created" : "Promoted") \(address), administrator (\(scope.rawValue)).\n")
            } catch is AccountCreation.MissingPassword {
                throw CommandFailure("no password: set FLEXI_ADMIN_PASSWORD, or write it to standard input")
            }
        }
    }

    /// `nil` when there is none: an account that exists keeps its own then.
    private func password(_ configuration: ServerConfiguration) -> Secret<String>? {
        if let password = configuration.adminPassword { return password }
        guard let line = StandardStreams.readSecretLine(prompt: "Password: "), !line.isEmpty else { return nil }
        return Secret(line)
    }
}
