import ArgumentParser
import Migrator

struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Applies the migrations that are pending.",
        discussion: """
            Each file is one transaction together with its entry in the ledger, so it is applied whole or not at all; files that begin \
            with the line "-- migrate:no-transaction" are run statement by statement, and taken up where they stopped. When a table is \
            locked, the file gives up after a moment, lets others pass, and is tried again for as long as --lock-wait says.

            Several runs at once take turns. After an interruption, a lost connection or a crash, run it again.

            EXAMPLES
              migrate up --role app_owner
              migrate up --to 42 --dry-run
              migrate up --format json --wait 60s --set app_role=app
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var files: FileOptions

    @Option(
        name: .customLong("to"), help: "The last version to apply; files without a version wait until none is left.")
    var target: Int64?

    @Flag(help: "List what would be applied, and change nothing.")
    var dryRun = false

    @OptionGroup var run: RunOptions

    func run() async throws {
        let output = Output(format: self.files.format)
        try await output.reportingFailures {
            let files = try MigrationsDirectory.load(self.files.directory)
            let migrator = try self.connection.migrator(self.options, output)
            if self.dryRun {
                output.writePending(try await migrator.pending(files))
            } else {
                output.writeDone(
                    try await Interruption.cancelling { try await migrator.up(files) }, "applied")
            }
        }
    }

    private var options: MigratorOptions {
        var options = self.run.options
        options.target = self.target
        return options
    }
}
