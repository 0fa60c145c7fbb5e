import Logging
import PGClient
import PGTesting
import Testing

/// Only what went badly wrong is worth a line between the results of tests.
let quietLogger: Logger = {
    var logger = Logger(label: "PGClientTests")
    logger.logLevel = .critical
    return logger
}()

/// A pool on a database of the test's own, shut down before the database goes.
@discardableResult
func withClient<R: Sendable>(
    _ change: (inout PGConfiguration) -> Void = { _ in },
    _ body: (PGClient) async throws -> R
) async throws -> R {
    try await withTestDatabase { database in
        var configuration = database.configuration
        change(&configuration)
        return try await body(PGClient(configuration, logger: quietLogger))
    }
}

/// A connection without a pool on a database of the test's own.
@discardableResult
func withConnection<R: Sendable>(
    _ change: (inout PGConfiguration) -> Void = { _ in },
    _ body: (PGConnection) async throws -> R
) async throws -> R {
    try await withTestDatabase { database in
        var configuration = database.configuration
        change(&configuration)
        return try await PGConnection.withConnection(configuration, logger: quietLogger, body)
    }
}

/// A connection to the server's own database, for tests that leave nothing behind.
@discardableResult
func withPlainConnection<R>(_ body: (PGConnection) async throws -> R) async throws -> R {
    try await PGConnection.withConnection(try TestDatabase.serverConfiguration(), logger: quietLogger, body)
}

/// Tries again and again, without a fixed pause to hope for, until `condition` holds; an issue after a minute.
func eventually(
    _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while try await !condition() {
        guard .now < end else {
            Issue.record(comment ?? "the condition never held", sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}

extension PGQuerying {
    /// Whether a session runs a statement that contains `text`, this one apart.
    func isRunning(_ text: String) async throws -> Bool {
        let rows = try await self.query(
            """
            SELECT 1 FROM pg_stat_activity
            WHERE state = 'active' AND datname = current_database() AND query LIKE \("%" + text + "%") AND pid <> pg_backend_pid()
            """
        )
        return !rows.isEmpty
    }
}
