import Foundation
import Logging
public import PGClient

/// A database of its own for a test or a suite, on the server that `DATABASE_URL` names.
///
/// The server has to be on this machine, so that a test can never drop something that matters.
public struct TestDatabase: Sendable {
    public let name: String
    /// Connection string for `PGConfiguration`, with keywords and values, also for other programs.
    public let conninfo: String
    private let server: PGConfiguration

    /// Makes a database, empty or as a copy of `template`, which nobody may be connected to.
    ///
    /// Throws `TestDatabaseError` when `DATABASE_URL` is missing or names another machine, and `PGError`.
    public static func create(template: String? = nil, prefix: String = "test") async throws -> TestDatabase {
        let server = try Self.serverConfiguration()
        let name =
            "\(prefix)_\(ProcessInfo.processInfo.processIdentifier)_\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        var statement = "CREATE DATABASE \(Self.quoted(name))"
        if let template { statement += " TEMPLATE \(Self.quoted(template))" }
        try await Self.run(statement, on: server)
        return TestDatabase(name: name, conninfo: try server.conninfo(replacing: ["dbname": name]), server: server)
    }

    /// Ends every session of the database and removes it.
    public func drop() async throws {
        try await Self.run("DROP DATABASE IF EXISTS \(Self.quoted(self.name)) WITH (FORCE)", on: self.server)
    }

    /// For a connection or a pool; three connections at most, since many suites share one server.
    public var configuration: PGConfiguration {
        var configuration = PGConfiguration(self.conninfo)
        configuration.pool.maximum = 3
        configuration.waitForConnections(atMost: .seconds(60))
        return configuration
    }

    /// The server that `DATABASE_URL` names, if it is on this machine.
    /// Throws `TestDatabaseError` when there is none. Each test that uses it directly must leave nothing behind.
    public static func serverConfiguration() throws -> PGConfiguration {
        guard let url = ProcessInfo.processInfo.environment["DATABASE_URL"], !url.isEmpty else {
            throw TestDatabaseError.noServer
        }
        var configuration = PGConfiguration(url)
        configuration.statementTimeout = nil
        configuration.waitForConnections(atMost: .seconds(60))
        let foreign = try configuration.hosts().first { host in
            !(host.hasPrefix("/") || host.hasPrefix("@") || ["localhost", "127.0.0.1", "::1"].contains(host))
        }
        if let foreign { throw TestDatabaseError.notLocal(host: foreign) }
        return configuration
    }

    private static func run(_ statement: String, on server: PGConfiguration) async throws {
        try await PGConnection.withConnection(server, logger: Logger(label: "PGTesting")) { connection in
            _ = try await connection.simpleQuery(unsafeSQL: statement)
        }
    }

    private static func quoted(_ name: String) -> String {
        "\"" + name.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
}

public enum TestDatabaseError: Error, Equatable, CustomStringConvertible {
    case noServer
    case notLocal(host: String)

    public var description: String {
        switch self {
        case .noServer: "DATABASE_URL is not set: tests need a PostgreSQL server (make test starts one)"
        case .notLocal(let host): "DATABASE_URL names \(host): tests create and drop databases on this machine only"
        }
    }
}

/// Runs `body` with a database that exists no longer than it.
@discardableResult
public func withTestDatabase<R>(
    template: String? = nil,
    _ body: (TestDatabase) async throws -> R
) async throws -> R {
    let database = try await TestDatabase.create(template: template)
    let result: R
    do {
        result = try await body(database)
    } catch {
        try? await database.drop()
        throw error
    }
    try await database.drop()
    return result
}

extension PGConfiguration {
    /// Hundreds of tests share the processors: whoever waits for a connection is to get one, not to be refused for the wait.
    public mutating func waitForConnections(atMost time: Duration) {
        self.connectTimeout = time
        self.phaseTimeouts.connect = time
        self.phaseTimeouts.authentication = time
        self.phaseTimeouts.session = time
        self.pool.acquireTimeout = time
    }
}
