import Logging
import PGClient
import ServiceLifecycle

/// Keeps house again and again while the server serves; of several servers on one database one at a time.
struct HousekeepingService: Service {
    private let housekeeping: Housekeeping
    private let interval: Duration
    private let logger: Logger

    /// `nil` where the server is not to do it.
    init?(_ services: Services, logger: Logger) {
        guard let interval = services.configuration.housekeepingInterval else { return nil }
        self.housekeeping = Housekeeping(services: services)
        self.interval = interval
        self.logger = logger
    }

    /// Returns when the server is shut down.
    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.keep()
                do {
                    try await Task.sleep(for: self.interval)
                } catch {
                    return
                }
            }
        }
    }

    /// What goes wrong is tried again the next time.
    private func keep() async {
        do {
            let done = try await self.housekeeping.run(waits: false).filter { $0.rows > 0 }
            guard !done.isEmpty else { return }
            self.logger.info(
                "housekeeping done",
                metadata: Logger.Metadata(
                    done.map { ($0.what.replacing(" ", with: "_"), "\($0.rows)") },
                    uniquingKeysWith: { first, _ in first }))
        } catch is CancellationError {
            // The server ends; the rest is left for its next start.
        } catch is Housekeeping.Busy {
            self.logger.debug("housekeeping is done by another server")
        } catch {
            self.logger.warning("housekeeping failed", metadata: ["error": "\(String(reflecting: error))"])
        }
    }
}
