import ArgumentParser
import Migrator

struct Down: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Undoes migrations, newest first, by what stands below `-- migrate:down` in their files.",
        discussion: """
            For development, and for a deployment that was just made: rows that were written since may be lost, so it asks first. \
            Nothing is undone unless every file in question says how, and is as it was applied. In production, rather write a new \
            migration that takes the change back.

            Views and functions of files without a version that are in the way have to be dropped, if they are there, by the section \
            that undoes what they use. The next "migrate up" applies all those files again.

            EXAMPLES
              migrate down --to 41
              migrate down --to 0 --yes
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var files: FileOptions

    @Option(name: .customLong("to"), help: "The version to go back to, which stays applied; 0 undoes every version.")
    var target: Int64

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var run: RunOptions

    func run() async throws {
        let output = Output(format: self.files.format)
        try await output.reportingFailures {
            let files = try MigrationsDirectory.load(self.files.directory)
            let migrator = try self.connection.migrator(self.run.options, output)
            let isApproved = self.yes
            let target = self.target
            let undone = try await Interruption.cancelling {
                try await migrator.down(files, to: target) { files in try isApproved || Self.approves(files, output) }
            }
            output.write(
                [undone.isEmpty ? "Nothing was undone." : "\(undone.count) undone."],
                json: EventLine("done", files: undone.map(\.fileName)))
        }
    }

    private static func approves(_ files: [MigrationFile], _ output: Output) throws -> Bool {
        if output.format == .text {
            for file in files { output.terminal.line("would undo \(file.fileName)") }
        }
        guard output.format == .text, let answer = output.terminal.confirms("Undo \(files.count)?") else {
            throw MigrationFailure(.usage, "there is nobody to ask", hint: "Confirm with --yes.")
        }
        return answer
    }
}
