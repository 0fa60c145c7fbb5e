import FoundationEssentials
import Logging
import PGClient
import ServiceLifecycle
import Synchronization

/// Delivers the messages of one channel; any number of processes have one each.
///
/// A message is taken by a statement of its own, which puts it off to the end of a lease: no transaction is open and no connection is
/// held while a slow server is spoken to, and a worker that dies leaves the message to whoever comes after the lease. On graceful
/// shutdown nothing is taken any more, and what is under way is brought to its end; cancelled, it is left to its lease.
struct OutboxWorker: Sendable {
    private let services: Services
    private let courier: OutboxCourier
    private let logger: Logger
    /// Rung when there is something new.
    let bell = Bell()
    private let slots: Slots
    var channel: OutboxChannel { self.courier.gateway.channel }
    private var repository: OutboxRepository { OutboxRepository(self.services.database) }
    private var configuration: OutboxConfiguration { self.services.configuration.outbox }

    init(_ services: Services, courier: OutboxCourier, logger: Logger) {
        self.services = services
        self.courier = courier
        self.logger = logger
        self.slots = Slots(services.configuration.outbox.concurrency)
    }

    /// Until graceful shutdown or cancellation.
    func run() async {
        let (feed, feeder) = AsyncStream<OutboxRepository.Taken>.makeStream()
        await withDiscardingTaskGroup { group in
            group.addTask {
                await cancelWhenGracefulShutdown { await self.take(into: feeder) }
                feeder.finish()
            }
            for await message in feed {
                group.addTask {
                    await self.deliver(message)
                    self.slots.release()
                    self.bell.ring()
                }
            }
        }
    }

    // MARK: Taking

    private func take(into feeder: AsyncStream<OutboxRepository.Taken>.Continuation) async {
        var failures = 0
        while !Task.isCancelled {
            do {
                let isExhausted = try await self.takeWhatIsDue(into: feeder)
                failures = 0
                try await self.bell.wait(upTo: isExhausted ? self.timeToNextMessage() : Self.pollTime)
            } catch {
                if Task.isCancelled { return }
                failures += 1
                if failures == 1 {
                    self.logger.error(
                        "the outbox cannot be read", metadata: ["error": "\(String(reflecting: error))"])
                }
                await self.bell.wait(upTo: .seconds(min(failures, 30)))
            }
        }
    }

    /// Takes as many messages as there are free slots. Returns whether there were not so many.
    private func takeWhatIsDue(into feeder: AsyncStream<OutboxRepository.Taken>.Continuation) async throws -> Bool {
        let free = self.slots.free
        guard free > 0 else { return false }
        let now = self.services.now()
        let taken = try await self.repository.take(
            self.channel, limit: free, at: now, until: now.addingTimeInterval(self.configuration.lease.inSeconds))
        for message in taken {
            self.slots.occupy()
            feeder.yield(message)
        }
        return taken.count < free
    }

    /// How often the table is looked at where nobody rings, as behind a connection pooler that does not pass notifications on.
    private static let pollTime = Duration.seconds(10)

    private func timeToNextMessage() async throws -> Duration {
        guard let next = try await self.repository.nextAttempt(self.channel) else { return Self.pollTime }
        return min(max(.seconds(next.timeIntervalSince(self.services.now())), .milliseconds(10)), Self.pollTime)
    }

    // MARK: Delivering

    private func deliver(_ message: OutboxRepository.Taken) async {
        var logger = self.logger
        logger[metadataKey: "outbox.id"] = "\(message.id)"
        logger[metadataKey: "outbox.channel"] = "\(self.channel.rawValue)"
        logger[metadataKey: "outbox.attempt"] = "\(message.attempt)"
        let started = self.services.now()
        guard message.retryUntil > started else {
            await self.settle(message, logger) { repository, now in
                try await repository.markDead(
                    message, because: "not delivered in time", keepsLastError: true, at: now)
            }
            logger.warning("message given up")
            return
        }
        do {
            try await self.courier.deliver(message)
            await self.settle(message, logger) { repository, now in try await repository.markDelivered(message, at: now)
            }
            logger.info("message delivered")
        } catch  where error.kind == .permanent {
            await self.settle(message, logger) { repository, now in
                try await repository.markDead(message, because: error.reason, at: now)
            }
            logger.warning("message refused", metadata: ["error": "\(error.reason)"])
        } catch {
            // What was given up because the process ends is not a failure of the message.
            if Task.isCancelled { return }
            let delay = RetryDelay.seconds(after: message.attempt, random: .random(in: 0..<1))
            await self.settle(message, logger) { repository, now in
                try await repository.postpone(message, until: now.addingTimeInterval(delay), because: error.reason)
            }
            logger.warning("message not delivered yet", metadata: ["error": "\(error.reason)"])
        }
    }

    /// Writes down how it went. While the database is away it is tried again until the lease ends: what was delivered and not written
    /// down is delivered once more.
    private func settle(
        _ message: OutboxRepository.Taken, _ logger: Logger,
        _ write: (OutboxRepository, Date) async throws -> Void
    ) async {
        let end = ContinuousClock.now + .seconds(30)
        while true {
            do {
                return try await write(self.repository, self.services.now())
            } catch {
                guard ContinuousClock.now < end, !Task.isCancelled else {
                    logger.error(
                        "the outcome of a message was not written down",
                        metadata: ["error": "\(String(reflecting: error))"])
                    return
                }
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
    }
}

/// How many deliveries may begin.
private final class Slots: Sendable {
    private let count: Mutex<Int>

    init(_ count: Int) {
        self.count = Mutex(count)
    }

    var free: Int { self.count.withLock { $0 } }
    func occupy() { self.count.withLock { $0 -= 1 } }
    func release() { self.count.withLock { $0 += 1 } }
}

extension Duration {
    /// As `Date` counts.
    var inSeconds: Double { Double(self.components.seconds) + Double(self.components.attoseconds) * 1e-18 }
}
