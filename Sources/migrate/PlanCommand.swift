import ArgumentParser
import FoundationEssentials
import Migrator

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Finds out what `up` would do, and writes it into a file that can be approved.",
        discussion: """
            The pending files are run in a scratch database, which the applied files have brought to where this one is. The plan tells \
            which tables each file locks and how, by the line that does it, whether it writes every row anew, how large the table is \
            here, and who would be in the way right now. What the linter squawk says of the files stands there too, when it is \
            installed. Where no scratch database can be made, the plan says what it cannot tell. In the database itself nothing is \
            changed, and no lock is taken. A file that changes roles, databases or the server is not tried unless --scratch-url names \
            another cluster, where that stays; what a DO block or a function does is not looked at.

            The file of --out holds the hashes of the files, the identity of the server and the state of the ledger: `migrate apply` \
            refuses it when any of these has changed. It also holds the values of --set. Exits with 1, and writes no file, when a \
            migration fails in the scratch database, and with 7 when squawk has findings and --strict is given.

            EXAMPLES
              migrate plan --role app_owner --out plan.json
              migrate plan --scratch-url postgresql://dba@test.example.org/postgres --format json
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var files: FileOptions
    @OptionGroup var settings: SettingOptions
    @OptionGroup var scratch: ScratchOptions

    @Option(
        name: .customLong("to"), help: "The last version to apply; files without a version wait until none is left.")
    var target: Int64?

    @Option(help: "The file to write the plan to.")
    var out: String?

    @Flag(help: "Exit with 7 when squawk has findings.")
    var strict = false

    func run() async throws {
        let output = Output(format: self.files.format)
        try await output.reportingFailures {
            let files = try MigrationsDirectory.load(self.files.directory)
            let ignored = try MigrationsDirectory.ignoreList(self.files.directory)
            let scratch = try self.scratch.server(of: self.connection)
            var options = self.settings.options
            options.target = self.target
            let migrator = try self.connection.migrator(options, output)
            let plan = try await Interruption.cancelling {
                try await migrator.plan(files, ignoring: ignored, scratch: scratch)
            }
            let fails = plan.files.contains { $0.failure != nil }
            let out = fails ? nil : self.out
            if let out {
                do {
                    try plan.json().write(to: URL(filePath: out), options: .atomic)
                } catch {
                    throw MigrationFailure(.usage, "the file \(out) cannot be written", system: error)
                }
            }
            output.write(plan.lines(writtenTo: out), json: plan)
            if fails { throw ExitCode.failure }
            if self.strict, plan.files.contains(where: { !$0.findings.isEmpty }) { throw ExitCode(7) }
        }
    }
}
