import ArgumentParser
import Migrator

struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Applies the migrations that are pending.")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var files: FileOptions

    @Option(
        name: .customLong("to"), help: "The last version to apply; files without a version wait until none is left.")
    var target: Int64?

    @Flag(help: "List what would be applied, and change nothing.")
    var dryRun = false

    @Option(help: "How long to wait for another run, and for tables that are locked (500ms, 30s, 5m).")
    var lockWait = WaitingTime(.seconds(300))

    @Option(help: "The role that owns what the migrations create.")
    var role: String?

    @Option(name: .customLong("set"), help: "A value that migrations read as current_setting('migrate.NAME', true).")
    var settings: [SettingArgument] = []

    func run() async throws {
        let output = Output(format: self.files.format)
        try await output.reportingFailures {
            let files = try MigrationsDirectory.load(self.files.directory)
            let migrator = try self.connection.migrator(self.options, output)
            if self.dryRun {
                output.writePending(try await migrator.pending(files))
            } else {
                output.writeApplied(try await Interruption.cancelling { try await migrator.up(files) })
            }
        }
    }

    private var options: MigratorOptions {
        var options = MigratorOptions()
        options.target = self.target
        options.role = self.role
        options.settings = Dictionary(self.settings.map { ($0.name, $0.value) }) { _, last in last }
        options.lockWait = self.lockWait.duration
        return options
    }
}
