import HTTPTypes
import Hummingbird
import OpenSSLCrypto

/// | Method    | Path                | Access  |
/// |-----------|---------------------|---------|
/// | GET, POST | accounts/me/api_key | account |
struct APIKeyRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.account.change("accounts/me/api_key", use: self.replace)
    }

    func replace(_: Request, _ context: AccountContext) async throws -> Response {
        let key = Secret(self.services.random.token(40))
        try await APIKeyRepository(self.services.database).replaceUnnamed(
            of: context.account.id, with: SHA256.hash(key.reveal()), at: self.services.now())
        var response = Response.text(key.reveal())
        response.headers[.setCookie] = APIKeyCookie(self.services.configuration).value(key)
        response.headers[.cacheControl] = "no-store"
        return response
    }
}
