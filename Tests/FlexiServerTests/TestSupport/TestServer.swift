import Foundation
import Hummingbird
import Logging
import NIOCore
import PGClient
import PGTesting
import ServiceLifecycle
import Testing

@testable import FlexiServer

/// A running server on a database of its own, and what a test needs to talk to it.
struct TestServer: Sendable {
    let wire: HTTPWire
    let services: Services
    let clock: TestClock
    let log: LogCapture
    let database: TestDatabase

    func get(_ target: String, _ headers: [(String, String)] = []) async throws -> HTTPReply {
        try await self.wire.send("GET", target, headers)
    }

    func send(
        _ method: String, _ target: String, _ headers: [(String, String)] = [], json: String? = nil
    ) async throws -> HTTPReply {
        let type = json == nil ? [] : [("Content-Type", "application/json")]
        return try await self.wire.send(method, target, type + headers, body: json.map { Array($0.utf8) })
    }

    func post(_ target: String, _ headers: [(String, String)] = [], json: String = "{}") async throws -> HTTPReply {
        try await self.send("POST", target, headers, json: json)
    }
}

/// Runs the real application on a copy of the migrated template database and an ephemeral port, for the length of
/// `body`.
///
/// `settings` come on top of the secret key; the server logs in as `flexi_app`, so that a missing grant shows.
func withServer(
    _ settings: [String: String] = [:], _ body: (TestServer) async throws -> Void
) async throws {
    do {
        try await withTestDatabase(template: TestTemplate.shared.name()) { database in
            try await withServer(on: database, settings, clock: TestClock(), body)
        }
    } catch let error as PGError {
        throw DatabaseFailure(description: String(reflecting: error))
    }
}

/// What a `PGError` keeps from strangers, for whoever reads the test's report.
private struct DatabaseFailure: Error, CustomStringConvertible {
    let description: String
}

/// The same on a database that other servers may use too.
func withServer(
    on database: TestDatabase, _ settings: [String: String] = [:], clock: TestClock,
    _ body: (TestServer) async throws -> Void
) async throws {
    let configuration = try ServerConfiguration(
        environment: settings.merging(TestServer.settings(database)) { given, _ in given })
    let log = LogCapture()
    var pool = configuration.database
    pool.parameters["role"] = "flexi_app"
    pool.waitForConnections(atMost: .seconds(60))
    var services = Services(
        database: PGClient(pool, logger: log.logger()), configuration: configuration,
        neighbours: Neighbours(configuration, logger: log.logger()))
    services.now = { clock.now }
    try await CredentialRepository(services.database).startEpoch(at: clock.now)

    let (ports, port) = AsyncStream<Int>.makeStream()
    let application = Application.build(
        services, address: .hostname("127.0.0.1", port: 0), logger: log.logger(),
        onServerRunning: { channel in
            port.yield(channel.localAddress?.port ?? 0)
            port.finish()
        })
    let group = ServiceGroup(configuration: .init(services: [application], logger: log.logger()))
    let lent = services
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            // Also when it cannot start, so that nobody waits for a port in vain.
            defer { port.finish() }
            try await group.run()
        }
        var iterator = ports.makeAsyncIterator()
        if let bound = await iterator.next() {
            let server = TestServer(
                wire: HTTPWire(port: bound), services: lent, clock: clock, log: log, database: database)
            do {
                try await body(server)
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
    }
}

extension TestServer {
    /// Without rate limits: a test asks more in no time than anybody does in a minute.
    fileprivate static func settings(_ database: TestDatabase) -> [String: String] {
        var settings = [
            "DATABASE_URL": database.conninfo, "FLEXI_SECRET_KEY": Self.secretKey, "DATABASE_POOL_SIZE": "4",
        ]
        for limit in ["", "AUTH_", "CODES_", "INFO_", "PUSH_", "SMS_", "MAIL_"] {
            settings["RATE_LIMIT_\(limit)PER_MINUTE"] = "0"
        }
        return settings
    }

    /// 32 bytes that guard nothing.
    static let secretKey = Data(repeating: 7, count: 32).base64EncodedString()
}
