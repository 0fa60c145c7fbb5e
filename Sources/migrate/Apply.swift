import ArgumentParser
import FoundationEssentials
import Migrator

struct Apply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Applies a plan that `migrate plan` has written, if it still holds.",
        discussion: """
            The pending files have to be those of the plan, to the byte but for line ends, the server and the database the same, and the \
            ledger as it was; otherwise nothing is done, and the exit code is 4. Role, values of --set and last version are those of the \
            plan. Everything else is as with `migrate up`.

            EXAMPLE
              migrate apply --plan plan.json --lock-wait 10m
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var files: FileOptions

    @Option(help: "The file that `migrate plan --out` has written.")
    var plan: String

    @OptionGroup var patience: PatienceOptions

    func run() async throws {
        let output = Output(format: self.files.format)
        try await output.reportingFailures {
            let files = try MigrationsDirectory.load(self.files.directory)
            let json: Data
            do {
                json = try Data(contentsOf: URL(filePath: self.plan))
            } catch {
                throw MigrationFailure(.usage, "the file \(self.plan) cannot be read", system: error)
            }
            let plan = try DeploymentPlan(json: json)
            if let role = self.connection.role, role != plan.role {
                throw MigrationFailure(
                    .usage, "the plan was made for the role \(plan.role ?? "of the login"), not for \(role)")
            }
            var options = MigratorOptions()
            options.role = plan.role
            options.settings = plan.settings
            options.target = plan.target
            let migrator = try self.connection.migrator(self.patience.applied(to: options), output)
            output.writeDone(
                try await Interruption.cancelling { try await migrator.apply(plan, files) }, "applied")
        }
    }
}
