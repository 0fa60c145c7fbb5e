import ArgumentParser

@main
struct FlexiServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "FlexiServer", abstract: "Manages SIP accounts for Linphone clients.",
        subcommands: [
            Serve.self, CreateAdmin.self, CreateKey.self, DomainCommand.self, OutboxCommand.self,
            HousekeepingCommand.self, TemplatesCommand.self,
        ])
}
