import Hummingbird
import Logging

/// | Method | Path                          | Access |
/// |--------|-------------------------------|--------|
/// | POST   | accounts/{sip}/activate/email | public |
/// | POST   | accounts/{sip}/activate/phone | public |
struct ActivationRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.open.post("accounts/{account}/activate/email") { request, context in
            // Deployed clients send PINs here too.
            try await self.activate(request, context, by: [.email, .phone])
        }
        groups.open.post("accounts/{account}/activate/phone") { request, context in
            try await self.activate(request, context, by: [.phone])
        }
    }

    private func activate(
        _ request: Request, _ context: PublicContext, by purposes: [ActivationCode.Purpose]
    ) async throws -> Response {
        var checker = try await Checker(request.json(context))
        let form = purposes.contains(.email) ? "13 letters and digits, or 4 digits" : "4 digits"
        let code = checker.requiredText("code", "The code is \(form).") { text in
            ActivationCode(text).flatMap { purposes.contains($0.purpose) ? $0 : nil }
        }
        try checker.finish()
        guard let code else { throw checker.incomplete }
        let address = try context.sipAddress("account")
        let claim = RateLimit.Subject.claim(
            username: address.username, domain: address.domain, context.client.network)
        do {
            let account = try await self.services.limiter.guess(
                .codes, by: claim, at: self.services.now(), isWrong: { $0 as? Activation.Refusal == .unknown }
            ) {
                try await Activation(services: self.services).activate(
                    address, by: code, in: Outbox(self.services).language(of: request))
            }
            context.logger.info("account activated", metadata: ["activated.id": "\(account.id.rawValue)"])
            return .json(account)
        } catch Activation.Refusal.expired {
            throw APIError.expiredCode
        } catch Activation.Refusal.unknown {
            throw APIError.notFound()
        }
    }
}
