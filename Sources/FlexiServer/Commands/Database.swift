import FoundationEssentials
import Logging
import PGClient

/// What commands do with the database before, or instead of, serving.
enum Database {
    /// Refuses a schema that this server does not know, and begins the counting of nonces where a crash of PostgreSQL
    /// ended it.
    ///
    /// - Throws: `CommandFailure` when the database cannot be reached, or the schema is another.
    static func prepare(_ configuration: ServerConfiguration, logger: Logger) async throws {
        // What goes wrong here ends the command with its one line, and needs no line in the log.
        var quiet = logger
        quiet.logLevel = .critical
        do {
            try await PGConnection.withConnection(configuration.database, logger: quiet) { connection in
                try await SchemaFence(connection).check()
                try await CredentialRepository(connection).startEpoch(at: Date())
            }
        } catch let error as PGError where error.isOutage {
            let lines = [error.message, error.hint].compactMap { $0 }.flatMap { $0.split(whereSeparator: \.isNewline) }
            throw CommandFailure("the database cannot be reached: \(lines.map(\.trimmed).joined(separator: "; "))")
        }
    }

    /// Lends services on a pool of connections to a command that does not serve.
    static func withServices<Result: Sendable>(
        _ configuration: ServerConfiguration, logger: Logger, _ body: (Services) async throws -> Result
    ) async throws -> Result {
        try await self.prepare(configuration, logger: logger)
        let client = PGClient(configuration.database, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await client.run() }
            defer { group.cancelAll() }
            return try await body(Services(database: client, configuration: configuration))
        }
    }
}
