import ArgumentParser
import FoundationEssentials
import Migrator
import PGClient

/// Which database.
struct ConnectionOptions: ParsableArguments {
    @Option(help: "The database, without a password, which everybody on the machine could read here.")
    var databaseURL: String?

    @Option(help: "How long to try a server that cannot be reached yet (in seconds, or 500ms, 30s, 5m).")
    var wait = WaitingTime(.zero)

    @Option(
        help:
            "The role that owns the ledger and what the migrations create. The login has to be a member of it, and acts as it."
    )
    var role: String?

    func validate() throws {
        guard let databaseURL, Self.holdsPassword(databaseURL) else { return }
        throw ValidationError(
            "the URL holds a password, which everybody on the machine could read: "
                + "put it into MIGRATE_DATABASE_URL, PGPASSWORD or a password file")
    }

    /// A migrator that reports to `output`.
    func migrator(_ options: MigratorOptions, _ output: Output) throws -> Migrator {
        var options = options
        options.connectWait = self.wait.duration
        options.role = self.role ?? options.role
        return try Migrator(
            self.configuration(), options: options, logger: Output.logger, report: { output.write($0) })
    }

    func configuration() throws -> PGConfiguration {
        let environment = ProcessInfo.processInfo.environment
        let candidates = [self.databaseURL, environment["MIGRATE_DATABASE_URL"], environment["DATABASE_URL"]]
        let configuration = PGConfiguration(candidates.compactMap(\.self).first { !$0.isEmpty } ?? "")
        do {
            try configuration.validate()
        } catch {
            throw MigrationFailure(.usage, error.message)
        }
        return configuration
    }

    /// Looks at URLs and at keywords with values as libpq reads them. What it cannot read, it will not connect with.
    static func holdsPassword(_ conninfo: String) -> Bool {
        let keywords = try? PGConfiguration(conninfo).conninfo(replacing: [:])
        return keywords?.contains(#/(^| )(ssl)?password='/#) ?? false
    }
}
