import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import OpenSSLCrypto

/// | Method    | Path                                    | Access  |
/// |-----------|-----------------------------------------|---------|
/// | POST      | accounts/auth_token                     | public  |
/// | GET, POST | accounts/auth_token/{auth_token}/attach | account |
struct AuthTokenRoutes: Sendable {
    /// Long enough to scan a code, and no longer.
    private static let lifetime: TimeInterval = 5 * 60

    let services: Services

    func add(to groups: RouteGroups) {
        groups.open.post("accounts/auth_token", use: self.create)
        groups.account.change("accounts/auth_token/{auth_token}/attach", use: self.attach)
    }

    func create(_: Request, _: PublicContext) async throws -> Response {
        let token = Secret(self.services.random.token(32))
        let now = self.services.now()
        let id = try await AuthTokenRepository(self.services.database).insert(
            SHA256.hash(token.reveal()), expiresAt: now.addingTimeInterval(Self.lifetime), at: now)
        return .json(IssuedToken(id: id, token: token, createdAt: now), status: .created)
    }

    func attach(_: Request, _ context: AccountContext) async throws -> Response {
        let isAttached = try await AuthTokenRepository(self.services.database).attach(
            SHA256.hash(context.segment("auth_token")), to: context.account.id, at: self.services.now())
        guard isAttached else { throw APIError.notFound() }
        context.logger.info("auth token attached")
        return .done
    }
}
