import ArgumentParser
import Logging

/// Shows and changes which SIP domains are served.
struct DomainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "domain", abstract: "Add, list, suspend, resume, close, open and remove domains.",
        subcommands: [Add.self, List.self, Suspend.self, Resume.self, Close.self, Open.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a domain, so that accounts can be made in it; nothing changes where it is there.")

        @OptionGroup var target: Target

        func run() async throws {
            try await self.target.run { domains, name in
                _ = try await domains.register(name)
                return "registered"
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a line for each domain: name, state, number of accounts, with tabs between them.")

        @OptionGroup var environment: EnvironmentOptions

        func run() async throws {
            try await DomainCommand.withDomains(self.environment) { domains in
                for (domain, accounts) in try await domains.list() {
                    let state = domain.isSuspended ? "suspended" : domain.isRegistrationOpen ? "served" : "closed"
                    StandardStreams.writeOutput("\(domain.name)\t\(state)\t\(accounts)\n")
                }
            }
        }
    }

    struct Suspend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let nobody of a domain in, until it is resumed. Nothing is deleted.")

        @OptionGroup var target: Target

        func run() async throws {
            try await self.target.run { domains, name in
                try await domains.setSuspended(true, name) ? "suspended" : nil
            }
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Serve a suspended domain again.")

        @OptionGroup var target: Target

        func run() async throws {
            try await self.target.run { domains, name in
                try await domains.setSuspended(false, name) ? "served" : nil
            }
        }
    }

    struct Close: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let nobody register in a domain but those who have an administrator's token.")

        @OptionGroup var target: Target

        func run() async throws {
            try await self.target.run { domains, name in
                try await domains.setRegistrationOpen(false, name) ? "closed" : nil
            }
        }
    }

    struct Open: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let everybody register in a domain whose device gets a push notification.")

        @OptionGroup var target: Target

        func run() async throws {
            try await self.target.run { domains, name in
                try await domains.setRegistrationOpen(true, name) ? "served" : nil
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget a domain that has no accounts, with the names that were deleted in it.")

        @OptionGroup var target: Target

        func run() async throws {
            try await self.target.run { domains, name in
                do {
                    return try await domains.remove(name) ? "removed" : nil
                } catch is DomainRepository.HasAccounts {
                    throw CommandFailure("\(name) has accounts: delete them first")
                }
            }
        }
    }

    /// The one domain that a command is about.
    struct Target: ParsableArguments {
        @Argument(help: "The domain's name, such as sip.example.org.")
        var name: String

        @OptionGroup var environment: EnvironmentOptions

        func validate() throws {
            guard DomainName(self.name) != nil else {
                throw ValidationError("\(self.name) is no domain name such as sip.example.org")
            }
        }

        /// `change` returns what the domain is now; `nil` when it is not registered.
        func run(_ change: (DomainRepository, DomainName) async throws -> String?) async throws {
            guard let name = DomainName(self.name) else { return }
            try await DomainCommand.withDomains(self.environment) { domains in
                guard let state = try await change(domains, name) else {
                    throw CommandFailure("the domain \(name) is not registered")
                }
                StandardStreams.writeOutput("\(name) is \(state).\n")
            }
        }
    }

    private static func withDomains(
        _ environment: EnvironmentOptions, _ body: (DomainRepository) async throws -> Void
    ) async throws {
        let configuration = try environment.configuration()
        var logger = Logger(configuration)
        logger.logLevel = .warning
        try await Database.withServices(configuration, logger: logger) { services in
            try await body(DomainRepository(services.database))
        }
    }
}
