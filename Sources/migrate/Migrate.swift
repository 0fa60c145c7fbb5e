import ArgumentParser
import Glibc
import Migrator

@main
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Brings a PostgreSQL database to the state that a directory of SQL files describes.",
        discussion: """
            The database is named by --database-url, MIGRATE_DATABASE_URL, DATABASE_URL or the PG* variables, whichever is there \
            first. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 migrations are pending (status), 4 files and ledger contradict each \
            other, 5 a lock was not free in time, 6 the server cannot be reached, 8 interrupted and rolled back, 9 stopped half-way and \
            to be looked at by a person.
            """,
        version: "migrate \(Migrator.version)",
        subcommands: [Up.self, Status.self, Verify.self])

    static func main() async {
        do {
            var command = try Self.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            guard Self.exitCode(for: error) == .validationFailure else { Self.exit(withError: error) }
            Output.writeError(Self.fullMessage(for: error))
            Glibc.exit(MigrationFailure.Kind.usage.rawValue)
        }
    }
}
