import PGClient
import ServiceLifecycle

/// Keeps the pool of connections for as long as something is served, and closes it after that.
struct DatabaseService: Service {
    let client: PGClient

    func run() async throws {
        await cancelWhenGracefulShutdown { await self.client.run() }
    }
}
