import ArgumentParser
import FoundationEssentials
import Hummingbird
import Logging
import NIOCore
import OpenSSLCrypto
import PGClient
import ServiceLifecycle
import UnixSignals

/// Serves HTTP until SIGTERM or SIGINT, then answers what has begun and exits with 0.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the HTTP interface.")

    /// How long requests that have begun may go on after SIGTERM.
    private static let drainTime: Duration = .seconds(20)

    @Option(help: "Address to listen on.")
    var hostname = "127.0.0.1"

    @Option(help: "Port to listen on.")
    var port = 8080

    @OptionGroup var environment: EnvironmentOptions

    func validate() throws {
        guard (0...65_535).contains(self.port) else { throw ValidationError("--port is a number from 0 to 65535") }
    }

    func run() async throws {
        let configuration = try self.environment.configuration()
        let logger = Logger(configuration)
        try configuration.requireHarmlessDrivers(listeningOn: self.hostname)
        for warning in configuration.warnings { logger.warning("\(warning)") }
        try HashFunction.requireAll()
        try await Database.prepare(configuration, logger: logger)

        let services = Services(
            database: PGClient(configuration.database, logger: logger), configuration: configuration,
            neighbours: Neighbours(configuration, logger: logger))
        let application = Application.build(
            services, address: .hostname(self.hostname, port: self.port), logger: logger)
        var parts: [ServiceGroupConfiguration.ServiceConfiguration] = [.init(service: application)]
        if let outbox = OutboxService(services, gateways: Gateways(configuration), logger: logger) {
            parts.append(.init(service: outbox))
        }
        if let housekeeping = HousekeepingService(services, logger: logger) {
            parts.append(.init(service: housekeeping))
        }
        // The last is shut down first: one that ends by itself while another is shut down counts as failed.
        parts.append(.init(service: RealmCheck(services, logger: logger), successTerminationBehavior: .ignore))
        var group = ServiceGroupConfiguration(
            services: parts,
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = Self.drainTime
        do {
            try await ServiceGroup(configuration: group).run()
        } catch let error as IOError {
            throw CommandFailure("cannot listen on \(self.hostname):\(self.port): \(error)")
        }
    }
}

/// Where every command reads its settings from.
struct EnvironmentOptions: ParsableArguments {
    @Option(help: "File of KEY=value lines; the process's own environment goes before it.")
    var envFile: String?

    func configuration() throws(ConfigurationError) -> ServerConfiguration {
        try ServerConfiguration(environment: ProcessInfo.processInfo.environment, environmentFile: self.envFile)
    }
}
