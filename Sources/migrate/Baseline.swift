import ArgumentParser
import Migrator

struct Baseline: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Takes the files up to a version as applied, in a database that others have made.",
        discussion: """
            For the first time that migrate meets a database which already has what those files would create. Nothing is run; the ledger \
            is made, and says "baseline" of each file. Files above the version and repeatable ones stay pending.

            EXAMPLE
              migrate baseline 12 --role app_owner && migrate status
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var files: FileOptions

    @Argument(help: "The last version that the database already has.")
    var version: Int64

    @OptionGroup var settings: SettingOptions

    func run() async throws {
        let output = Output(format: self.files.format)
        try await output.reportingFailures {
            let files = try MigrationsDirectory.load(self.files.directory)
            let migrator = try self.connection.migrator(self.settings.options, output)
            output.writeDone(try await migrator.baseline(files, to: self.version), "taken as applied")
        }
    }
}
