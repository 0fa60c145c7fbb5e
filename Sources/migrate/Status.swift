import ArgumentParser
import Migrator

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows what was applied and what is pending; exits with 3 when something is.")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var files: FileOptions

    func run() async throws {
        let output = Output(format: self.files.format)
        try await output.reportingFailures {
            let files = try MigrationsDirectory.load(self.files.directory)
            let migrator = try self.connection.migrator(MigratorOptions(), output)
            let status = try await migrator.status(files)
            output.write(status)
            try status.plan.check()
            if !status.plan.pending.isEmpty { throw ExitCode(3) }
        }
    }
}
