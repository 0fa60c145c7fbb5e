import ArgumentParser
import FoundationEssentials
import Logging

/// Shows and changes what waits to be sent.
struct OutboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outbox", abstract: "List, retry and drop mails and short messages.",
        discussion: "What a message says and to whom is never shown.", subcommands: [List.self, Retry.self, Drop.self])

    enum State: String, CaseIterable, ExpressibleByArgument {
        case pending
        case delivered
        case dead
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: """
                Print a line for each message, the newest first: id, channel, state, attempts, time of the next attempt or of the end \
                (UTC), id of the account, last error, with tabs between them.
                """)

        @Option(help: "Only messages in this state: pending, delivered or dead.")
        var state: State?

        @Option(help: "Most lines that are printed.")
        var limit = 100

        @OptionGroup var environment: EnvironmentOptions

        func validate() throws {
            guard (1...100_000).contains(self.limit) else {
                throw ValidationError("--limit is a number from 1 to 100000")
            }
        }

        func run() async throws {
            try await OutboxCommand.withServices(self.environment) { services in
                let rows = try await OutboxRepository(services.database)
                    .list(state: self.state?.rawValue, limit: self.limit)
                for row in rows {
                    let columns = [
                        String(row.id), row.channel, row.state, String(row.attempts), TimeText.plain(row.time),
                        row.account.map(String.init) ?? "-", row.lastError ?? "-",
                    ]
                    StandardStreams.writeOutput(columns.joined(separator: "\t") + "\n")
                }
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Try messages again at once, and from now on for as long as a new one.")

        @OptionGroup var selection: Selection

        func run() async throws {
            try await self.selection.run { outbox, ids, services in
                let now = services.now()
                let end = now.addingTimeInterval(services.configuration.outbox.retryTime.inSeconds)
                return try await ("to be tried again", outbox.retry(ids, at: now, until: end))
            }
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete messages that were not delivered. One that is under way may still arrive.")

        @OptionGroup var selection: Selection

        func run() async throws {
            try await self.selection.run { outbox, ids, _ in try await ("dropped", outbox.drop(ids)) }
        }
    }

    /// The messages that a command is about.
    struct Selection: ParsableArguments {
        @Argument(help: "Ids of messages, as `outbox list` prints them.")
        var ids: [Int64] = []

        @Flag(help: "Every message that was given up.")
        var dead = false

        @OptionGroup var environment: EnvironmentOptions

        func validate() throws {
            guard self.ids.isEmpty == self.dead else { throw ValidationError("name messages, or all that are --dead") }
        }

        /// `change` is given `nil` for all that are dead, and returns what it did to how many.
        func run(
            _ change: (OutboxRepository, [Int64]?, Services) async throws -> (String, Int)
        ) async throws {
            try await OutboxCommand.withServices(self.environment) { services in
                let (done, count) = try await change(
                    OutboxRepository(services.database), self.dead ? nil : Array(Set(self.ids)), services)
                StandardStreams.writeOutput("\(count) \(count == 1 ? "message" : "messages") \(done).\n")
                let missing = Set(self.ids).count - count
                if !self.dead, missing > 0 {
                    throw CommandFailure("\(missing) of them are not in the outbox, or were delivered")
                }
            }
        }
    }

    private static func withServices(
        _ environment: EnvironmentOptions, _ body: (Services) async throws -> Void
    ) async throws {
        let configuration = try environment.configuration()
        var logger = Logger(configuration)
        logger.logLevel = .warning
        try await Database.withServices(configuration, logger: logger, body)
    }
}
