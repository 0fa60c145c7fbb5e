import ArgumentParser
import Migrator

struct Wait: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Waits until the server can be written to, or until nothing is pending.",
        discussion: """
            Only what passes by itself is waited for: a server that is not there yet, is starting, recovers, or has no connection free. \
            A wrong password, database or role ends it at once, and with --applied a pooler does. Exits with 6 when the server did not \
            come, with 3 when migrations were still pending.

            EXAMPLES
              migrate wait --timeout 2m
              migrate wait --applied          for a program that is started beside the run that migrates
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var files: FileOptions

    @Option(help: "How long.")
    var timeout = WaitingTime(.seconds(60))

    @Flag(help: "Wait until every file of the directory is applied.")
    var applied = false

    func run() async throws {
        let output = Output(format: self.files.format)
        try await output.reportingFailures {
            let migrator = try self.connection.migrator(MigratorOptions(), output)
            let (limit, waitsForFiles) = (self.timeout.duration, self.applied)
            let files = waitsForFiles ? try MigrationsDirectory.load(self.files.directory) : []
            try await Interruption.cancelling {
                if waitsForFiles {
                    try await migrator.waitUntilApplied(files, within: limit)
                } else {
                    try await migrator.waitForServer(within: limit)
                }
            }
            output.write([waitsForFiles ? "Nothing is pending." : "The server is ready."], json: EventLine("ready"))
        }
    }
}
