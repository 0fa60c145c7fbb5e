import ArgumentParser
import Logging

/// Keeps house once.
struct HousekeepingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "housekeeping", abstract: "Delete what has expired, once, and say what it was.",
        discussion: """
            A server does the same by itself every HOUSEKEEPING_INTERVAL_MINUTES; with 0 there, let a timer run this. One line for \
            each kind of rows: what, and how many were deleted, with a tab between them. It may run beside servers and beside itself.
            """)

    @OptionGroup var environment: EnvironmentOptions

    func run() async throws {
        let configuration = try self.environment.configuration()
        var logger = Logger(configuration)
        logger.logLevel = .warning
        try await Database.withServices(configuration, logger: logger) { services in
            for (what, rows) in try await Housekeeping(services: services).run(waits: true) {
                StandardStreams.writeOutput("\(what)\t\(rows)\n")
            }
        }
    }
}
