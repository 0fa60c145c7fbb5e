import ArgumentParser
import Logging
import PGClient

/// One measurement of PGClient; `pgclient.py` runs it among its peers and reckons up. The database is that of the `PG*`
/// variables.
@main
struct PGClientBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "PGClientBench",
        abstract: "Measures PGClient and prints what it did as one line of JSON.",
        subcommands: [SelectCommand.self, DecodeCommand.self, InsertCommand.self]
    )
}

/// What the measurements have in common.
enum Bench {
    static func client(connections: Int, tasks: Int = 1) -> PGClient {
        var configuration = PGConfiguration()
        configuration.pool.maximum = connections
        configuration.sharing.connections = connections
        configuration.pool.queueLimit = max(tasks, configuration.pool.queueLimit)
        // What is measured is the work, also when the machine is too busy for it.
        configuration.pool.acquireTimeout = .seconds(60)
        var logger = Logger(label: "PGClientBench")
        logger.logLevel = .warning
        return PGClient(configuration, logger: logger)
    }

    /// The outcome, for the program that ran this one.
    static func report(_ values: KeyValuePairs<String, Double>) {
        let members = values.map { "\"\($0.key)\": \($0.value)" }
        print("{" + members.joined(separator: ", ") + "}")
    }

    static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}
