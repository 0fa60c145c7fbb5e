import HTTPTypes
import Hummingbird
import Logging
import OpenSSLCrypto
import PGClient

/// | Method | Path                                 | Access |
/// |--------|--------------------------------------|--------|
/// | POST   | account_creation_tokens/send-by-push | public |
/// | POST   | tokens                               | public |
struct PushedTokenRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        for path in ["account_creation_tokens/send-by-push", "tokens"] {
            groups.open.post(RouterPath(path), use: self.send)
        }
    }

    /// Keeps the token before it is sent, since an app may use it at once; forgets it when it was not sent.
    func send(_ request: Request, _ context: PublicContext) async throws -> Response {
        let device = try await PushDevice(validating: request.json(context))
        guard let gateway = self.services.neighbours.push else { throw APIError.unavailable(.pusher) }
        try self.services.limiter.take(.push, by: .network(context.client.network), at: self.services.now())
        let token = Secret(self.services.random.token(13))
        let id = try await self.keep(token, for: device)
        do {
            try await gateway.send(Self.payload(token), to: device)
        } catch {
            try await PushedTokenRepository(self.services.database).remove(id)
            throw error
        }
        context.logger.info("account creation token pushed", metadata: ["token.id": "\(id)"])
        return .done
    }

    private func keep(_ token: Secret<String>, for device: PushDevice) async throws -> Int64 {
        let now = self.services.now()
        return try await self.services.database.withTransaction { transaction in
            let domain = try await DomainRepository(transaction).register(self.services.configuration.sipDomain)
            guard !domain.isSuspended else { throw APIError.forbidden("The domain is suspended.") }
            guard domain.isRegistrationOpen else { throw APIError.forbidden("Registration is closed in this domain.") }
            let tokens = PushedTokenRepository(transaction)
            let history = try await tokens.lockedHistory(of: device, at: now)
            guard !history.isWaiting else {
                throw APIError.forbidden("A token was sent to this device already.")
            }
            guard history.count < PushedTokenRepository.maximumPerDevice else {
                throw APIError.forbidden("This device has been sent as many tokens as it may.")
            }
            return try await tokens.insert(SHA256.hash(token.reveal()), for: device, in: domain.id, at: now)
        }
    }

    /// What apps look for in a push notification: `{"token": "…"}`.
    private static func payload(_ token: Secret<String>) -> Secret<String> {
        var json = JSONWriter()
        json.object { json in json.member("token", token.reveal()) }
        return Secret(String(buffer: json.buffer))
    }
}
