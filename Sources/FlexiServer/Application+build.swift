import Hummingbird
import Logging
import NIOCore

extension Application where Responder == ServerResponder {
    /// The whole server but for its settings and signals; tests start the same.
    static func build(
        _ services: Services, address: BindAddress, logger: Logger,
        onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
    ) -> Application {
        let router = Router(context: PublicContext.self)
        let maximumBodyBytes = services.configuration.maximumBodyBytes
        addFeatures(to: RouteGroups(router: router, services: services), services: services)
        return Application(
            responder: ServerResponder(router, services: services),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ContinueHandler(maximumBodyBytes: maximumBodyBytes)],
                    // Also ends a request whose head or body does not go on arriving.
                    idleTimeout: .seconds(60),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 32 * 1024, maxHeaderFieldCount: 100))),
            configuration: ApplicationConfiguration(
                address: address,
                availableConnectionsDelegate: ConnectionLimit(services.configuration.maximumConnections, logger: logger)
            ),
            services: [DatabaseService(client: services.database)],
            onServerRunning: onServerRunning,
            logger: logger
        )
    }
}
