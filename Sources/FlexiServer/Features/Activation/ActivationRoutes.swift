import FoundationEssentials
import Hummingbird
import Logging
import OpenSSLCrypto
import PGClient

/// | Method | Path                          | Access |
/// |--------|-------------------------------|--------|
/// | POST   | accounts/{sip}/activate/email | public |
/// | POST   | accounts/{sip}/activate/phone | public |
struct ActivationRoutes: Sendable {
    private enum Outcome: Sendable {
        case activated(Account)
        case expired
        case refused
    }

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
        let (limiter, now) = (self.services.limiter, self.services.now())
        try limiter.check(.codes, by: claim, at: now)
        switch try await self.activate(address, by: code) {
        case .activated(let account):
            context.logger.info("account activated", metadata: ["activated.id": "\(account.id.rawValue)"])
            return .json(account)
        case .expired: throw APIError.expiredCode
        case .refused:
            limiter.note(.codes, by: claim, at: now)
            throw APIError.notFound()
        }
    }

    /// An expired code is told apart from a wrong one only by whoever has the right one.
    private func activate(_ address: SIPAddress, by code: ActivationCode) async throws -> Outcome {
        let scope = self.services.configuration.servedDomains
        let now = self.services.now()
        return try await self.services.database.withTransaction { transaction in
            let codes = ActivationRepository(transaction)
            guard let pending = try await codes.lock(code.purpose, of: address, in: scope) else { return .refused }
            let hash = code.hash(of: pending.account, key: self.services.keys.code)
            guard ConstantTime.equal(hash, pending.hash) else {
                if case .pin = code { try await codes.countWrongTry(of: pending.id, allowing: PIN.tries) }
                return .refused
            }
            if let expiresAt = pending.expiresAt, expiresAt <= now { return .expired }
            guard try await codes.activate(pending.account) else { return .refused }
            let accounts = AccountRepository(transaction, defaultRealm: self.services.configuration.accountRealm)
            return try await accounts.find(pending.account, in: scope).map { .activated($0) } ?? .refused
        }
    }
}
