import Logging
import PGClient
import ServiceLifecycle

/// The part of a serving process that delivers: a worker for each channel that there is a gateway for, and a connection to PostgreSQL on
/// which new messages are announced to them.
struct OutboxService: Service {
    private let services: Services
    private let workers: [OutboxWorker]
    private let logger: Logger

    /// `nil` where there is no gateway, and so nothing to do.
    init?(_ services: Services, gateways: Gateways, logger: Logger) {
        self.services = services
        self.workers = [
            gateways.mail.map { OutboxCourier.Gateway.mail($0) }, gateways.sms.map { OutboxCourier.Gateway.sms($0) },
        ].compactMap(\.self).map { gateway in
            OutboxWorker(services, courier: OutboxCourier(gateway: gateway, services: services), logger: logger)
        }
        self.logger = logger
        if self.workers.isEmpty { return nil }
    }

    func run() async throws {
        await withDiscardingTaskGroup { group in
            for worker in self.workers { group.addTask { await worker.run() } }
            group.addTask { await cancelWhenGracefulShutdown { await self.listen() } }
        }
    }

    private func listen() async {
        do {
            for try await event in OutboxRepository.announcements(self.services.database) {
                switch event {
                case .listening: for worker in self.workers { worker.bell.ring() }
                case .notification(let notification):
                    for worker in self.workers where worker.channel.rawValue == notification.payload {
                        worker.bell.ring()
                    }
                case .lost(let error):
                    self.logger.debug(
                        "new messages are not announced", metadata: ["error": "\(String(reflecting: error))"])
                }
            }
        } catch is CancellationError {
            // The server ends.
        } catch {
            self.logger.error(
                "new messages are not announced any more, and are found later",
                metadata: ["error": "\(String(reflecting: error))"])
        }
    }
}
