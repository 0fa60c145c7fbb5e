import ArgumentParser
import FoundationEssentials
import Migrator

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares files, ledger and catalog; exits with 4 when they contradict each other.",
        discussion: """
            A file that was applied has to be there, with the content that it was applied with; other line ends and a byte order \
            mark are told, and are no contradiction.

            The catalog has to be as the last run left it, and as the applied files make it: they are run again in a scratch \
            database, where one may be made. Tables, columns, constraints, indexes and whether they are valid, views, functions, \
            triggers, policies, sequences, types, owners and grants are compared, in the schemas that the migrations work in.

            What may differ stands in the file \(IgnoreList.fileName) beside the migrations, or is named by --ignore: a name with \
            its schema, where * stands for anything, or a kind, a colon and such a name, as app.tmp_*, index:app.emergency_* or \
            partition:*. In the database itself nothing is changed, and no lock is taken. Files that change roles, databases or the \
            server are not run again unless --scratch-url names another cluster, where that stays; what a DO block or a function does \
            is not looked at.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var files: FileOptions
    @OptionGroup var scratch: ScratchOptions

    @Option(name: .customLong("ignore"), help: "What may differ: a pattern as in \(IgnoreList.fileName).")
    var ignored: [String] = []

    func run() async throws {
        let output = Output(format: self.files.format)
        try await output.reportingFailures {
            let files = try MigrationsDirectory.load(self.files.directory)
            let ignored = try IgnoreList(self.ignored) + MigrationsDirectory.ignoreList(self.files.directory)
            let scratch = try self.scratch.server(of: self.connection)
            let migrator = try self.connection.migrator(MigratorOptions(), output)
            let (verification, drift) = try await Interruption.cancelling {
                (try await migrator.verify(files), try await migrator.drift(files, ignoring: ignored, scratch: scratch))
            }
            output.write(verification, drift)
            if !verification.problems.isEmpty || !drift.isEmpty { throw ExitCode(MigrationFailure.Kind.drift.rawValue) }
        }
    }
}
