import ArgumentParser
import Migrator

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares the files with the ledger; exits with 4 when they contradict each other.",
        discussion: """
            A file that was applied has to be there, with the content that it was applied with; other line ends and a byte order \
            mark are told, and are no contradiction. Nothing is changed, and no lock is taken.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var files: FileOptions

    func run() async throws {
        let output = Output(format: self.files.format)
        try await output.reportingFailures {
            let files = try MigrationsDirectory.load(self.files.directory)
            let migrator = try self.connection.migrator(MigratorOptions(), output)
            let verification = try await migrator.verify(files)
            output.write(verification)
            if !verification.problems.isEmpty { throw ExitCode(MigrationFailure.Kind.drift.rawValue) }
        }
    }
}
