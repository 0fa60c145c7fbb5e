import Logging
import PGClient
import ServiceLifecycle
import Synchronization
import Testing

@testable import FlexiServer

extension TestServer {
    /// What waits in the outbox or was given up, opened, the oldest first. No worker runs unless a test lets one.
    func outbox() async throws -> [OutboxMessage] {
        try await self.services.database.query(
            "SELECT idempotency_key, sealed_payload FROM flexi.outbox WHERE sealed_payload IS NOT NULL ORDER BY id"
        ).map { row in
            let (key, sealed) = try row.decode((String, [UInt8]).self)
            return try OutboxMessage(
                payload: SealedColumn.outboxPayload.open(sealed, row: key, with: self.services.keys.seal))
        }
    }

    /// The state, attempts and last error of every row, the oldest first.
    func outboxStates() async throws -> [(state: String, attempts: Int, lastError: String?)] {
        try await OutboxRepository(self.services.database).list(state: nil, limit: 1_000).reversed().map {
            ($0.state, $0.attempts, $0.lastError)
        }
    }

    /// Lets workers deliver to the gateways for the length of `body`, then ends them gracefully.
    func withOutboxService(_ gateways: Gateways, _ body: () async throws -> Void) async throws {
        let service = try #require(OutboxService(self.services, gateways: gateways, logger: self.log.logger()))
        let group = ServiceGroup(configuration: .init(services: [service], logger: self.log.logger()))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await body()
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Moves the clock, and lets workers look at it.
    func advance(by time: Duration) async throws {
        self.clock.advance(by: time)
        for channel in OutboxChannel.allCases {
            try await self.services.database.query(
                "SELECT pg_notify(\(OutboxRepository.notificationChannel.description), \(channel.rawValue))")
        }
    }

    /// Waits until no message is pending.
    func waitForEmptyOutbox() async throws {
        while try await !self.services.database.query("SELECT FROM flexi.outbox WHERE state = 'pending'").isEmpty {
            await Task.yield()
        }
    }
}

/// A mailer that keeps what it is given, and fails when a test says so.
final class RecordingMailer: Mailer {
    private let state = Mutex<(mails: [Mail], failures: [DeliveryFailure])>(([], []))

    var mails: [Mail] { self.state.withLock { $0.mails } }

    /// The failures of the first attempts, in order.
    init(failing failures: [DeliveryFailure] = []) {
        self.state.withLock { $0.failures = failures }
    }

    func deliver(_ mail: Mail) async throws(DeliveryFailure) {
        let failure = self.state.withLock { state -> DeliveryFailure? in
            if state.failures.isEmpty {
                state.mails.append(mail)
                return nil
            }
            return state.failures.removeFirst()
        }
        if let failure { throw failure }
    }
}
