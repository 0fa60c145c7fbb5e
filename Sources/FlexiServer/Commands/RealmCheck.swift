import Logging
import PGClient
import ServiceLifecycle

/// Looks once, beside the serving, for passwords that a changed realm has made void, and says how many there are.
struct RealmCheck: Service {
    private let services: Services
    private let logger: Logger

    init(_ services: Services, logger: Logger) {
        self.services = services
        self.logger = logger
    }

    func run() async throws {
        do {
            let count = try await cancelWhenGracefulShutdown {
                try await DomainRepository(self.services.database)
                    .countHashesOfOtherRealms(default: self.services.configuration.accountRealm)
            }
            if count > 0 {
                self.logger.warning(
                    "passwords were made with another realm and open nothing: set ACCOUNT_REALM back, or have them set anew",
                    metadata: ["passwords": "\(count)"])
            }
        } catch is CancellationError {
            // The server ends before the answer came.
        } catch let error as PGError {
            self.logger.warning(
                "passwords of other realms were not counted", metadata: ["error": "\(String(reflecting: error))"])
        }
    }
}
