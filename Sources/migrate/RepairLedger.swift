import ArgumentParser
import Migrator

struct RepairLedger: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract:
            "Corrects the ledger after something was done by hand; without options, says what there is to correct.",
        discussion: """
            No file is run and no object is touched. The entries that are replaced stay in the ledger's history.

            A file that failed needs no repair: mend it, and run "migrate up" again.

            EXAMPLES
              migrate repair                  what is wrong, and which option would settle it
              migrate repair --accept 7       0007 was edited after it had been applied, and is right as it is now
              migrate repair --forget 8       the file of 8 is gone, or 8 stands half-way and was cleaned up by hand
              migrate repair --done 9         9, or the rest of it, was run by hand
              migrate repair --forget R__x    R__x.sql stands half-way and was cleaned up by hand

            Of a file that "migrate down" has left half-way, --done says that the rest was undone by hand, and --forget that it stands \
            as applied.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var files: FileOptions

    @Option(help: "A version whose file was changed on purpose.")
    var accept: [Int64] = []

    @Option(help: "A version, or R__slug, to take off the ledger.")
    var forget: [MigrationFile.Identity] = []

    @Option(help: "A version, or R__slug, to take as applied.")
    var done: [MigrationFile.Identity] = []

    @OptionGroup var settings: SettingOptions

    func run() async throws {
        let output = Output(format: self.files.format)
        try await output.reportingFailures {
            let files = try MigrationsDirectory.load(self.files.directory)
            let migrator = try self.connection.migrator(self.settings.options, output)
            let repairs =
                self.accept.map(Repair.accept) + self.forget.map(Repair.forget) + self.done.map(Repair.done)
            if repairs.isEmpty { return try await self.explain(migrator, files, output) }
            try await migrator.repair(files, repairs)
            output.write(["\(repairs.count) repaired."], json: EventLine("done"))
        }
    }

    private func explain(_ migrator: Migrator, _ files: [MigrationFile], _ output: Output) async throws {
        let status = try await migrator.status(files)
        let lines =
            status.plan.problems.flatMap { [$0.description, "    " + $0.hint] }
            + status.lines.compactMap { line in
                // What `down` has left half-way is one of the problems.
                guard case .unfinished(let entry) = line.state, entry.direction == .up else { return nil }
                let name = entry.identity
                return
                    "\(line.text)\n    Run `migrate up` to go on, or settle it with `migrate repair --forget \(name)` or `--done \(name)`."
            }
        output.write(lines.isEmpty ? ["Nothing is to be repaired."] : lines, json: StatusDocument(status))
        if !lines.isEmpty { throw ExitCode(MigrationFailure.Kind.drift.rawValue) }
    }
}
