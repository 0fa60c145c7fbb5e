import ArgumentParser
import Hummingbird
import Logging

/// The least that an HTTP server of Hummingbird does: what FlexiServer's `/api/ping` is compared with.
@main
struct BarePong: AsyncParsableCommand {
    @Option var port: Int

    func run() async throws {
        let router = Router()
        router.get("api/ping") { _, _ in "pong" }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: self.port)),
            logger: Logger(label: "pong", factory: { _ in SwiftLogNoOpLogHandler() }))
        try await application.runService()
    }
}
