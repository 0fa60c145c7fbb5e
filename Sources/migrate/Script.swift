import ArgumentParser
import Migrator

struct Script: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes the pending migrations as one file for psql, ledger included, for change control.",
        discussion: """
            What psql leaves behind when it has run the script is what "migrate up" would have left. The script takes the same lock, sets \
            the same timeouts, and refuses a database that does not stand where this one stands; with --from above 0, repeatable files are \
            not compared. It does not try again when tables are locked, and stops at the first error.

            EXAMPLES
              migrate script > change-4711.sql && psql -X -f change-4711.sql
              migrate script --from 41 --to 42        without asking a database
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var files: FileOptions

    @Option(help: "The version that the database stands at, 0 for an empty one; without it, the database is asked.")
    var from: Int64?

    @Option(name: .customLong("to"), help: "The last version to apply.")
    var target: Int64?

    @OptionGroup var settings: SettingOptions

    func run() async throws {
        let output = Output(format: self.files.format)
        try await output.reportingFailures {
            let files = try MigrationsDirectory.load(self.files.directory)
            var options = self.settings.options
            options.target = self.target
            let migrator = try self.connection.migrator(options, output)
            let text =
                if let from { try migrator.script(files, from: from) } else { try await migrator.script(files) }
            output.write([text], json: ["script": text])
        }
    }
}
