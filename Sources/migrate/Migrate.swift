import ArgumentParser
import Glibc
import Migrator

@main
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Brings a PostgreSQL database to the state that a directory of SQL files describes.",
        discussion: """
            The database is named by --database-url, MIGRATE_DATABASE_URL, DATABASE_URL or the PG* variables, whichever is there first. \
            A password comes from PGPASSWORD, a password file, a service file or the URL in a variable, never from an argument. The \
            files are those of --directory: NNNN_what_it_does.sql, applied once in the order of their numbers, and R__what_it_makes.sql, \
            applied after them whenever they have changed.

            Exit codes: 0 done, 1 failed, 2 wrong usage, 3 migrations are pending (status, wait), 4 files and ledger contradict each \
            other, 5 a lock was not free in time, 6 the server cannot be reached, 7 a finding of the linter (plan --strict), 8 interrupted: a \
            file that was at work was undone, or is to be taken up again, 9 stopped half-way and to be looked at by a person.
            """,
        version: "migrate \(Migrator.version)",
        groupedSubcommands: [
            CommandGroup(
                name: "Looking", subcommands: [Status.self, Verify.self, PlanCommand.self, Doctor.self, Wait.self]),
            CommandGroup(name: "Changing the database", subcommands: [Up.self, Apply.self, Down.self]),
            CommandGroup(name: "Working with files", subcommands: [Create.self, Script.self]),
            CommandGroup(name: "Mending the ledger", subcommands: [Baseline.self, RepairLedger.self]),
        ])

    static func main() async {
        // A run does not end because nobody reads any more what it says.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try Self.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            guard Self.exitCode(for: error) == .validationFailure else { Self.exit(withError: error) }
            Terminal.writeError(Self.fullMessage(for: error))
            Glibc.exit(MigrationFailure.Kind.usage.rawValue)
        }
    }
}
