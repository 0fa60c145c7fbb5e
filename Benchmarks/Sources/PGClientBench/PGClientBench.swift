import ArgumentParser
import Glibc
import Logging
import PGClient

/// One measurement of PGClient; `pgclient.py` runs it among its peers and reckons up. The database is that of the `PG*`
/// variables.
@main
struct PGClientBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "PGClientBench",
        abstract: "Measures PGClient and prints what it did as one line of JSON.",
        subcommands: [
            SelectCommand.self, DecodeCommand.self, InsertCommand.self, CopyCommand.self, CancelCommand.self,
        ]
    )

    /// The main thread waits. It would end while the process goes on if this were asynchronous, which valgrind does not survive. The task is
    /// detached since this is the main actor's, whose thread is the one that waits.
    static func main() {
        Task.detached {
            await Self.main(nil)
            Glibc.exit(EXIT_SUCCESS)
        }
        while true { pause() }
    }
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

    static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}

/// What happens from its making to `stop`: the time, and the CPU of the whole process.
struct Measurement {
    struct Outcome {
        let seconds: Double
        let cpu: Double

        /// Prints it, for the program that ran this one.
        func report(_ values: KeyValuePairs<String, Double>) {
            let all = values.map { ($0.key, $0.value) } + [("seconds", self.seconds), ("cpu", self.cpu)]
            print("{" + all.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}")
        }
    }

    private let start = ContinuousClock.now
    private let cpu = Self.cpuSeconds()

    func stop() -> Outcome {
        Outcome(seconds: Bench.seconds(ContinuousClock.now - self.start), cpu: Self.cpuSeconds() - self.cpu)
    }

    private static func cpuSeconds() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
