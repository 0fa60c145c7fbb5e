import FoundationEssentials
import HTTPTypes
import Hummingbird
import OpenSSLCrypto
import PGClient

/// | Method    | Path                             | Access  |
/// |-----------|----------------------------------|---------|
/// | GET, POST | accounts/me/api_key              | account |
/// | GET, POST | accounts/me/api_key/{auth_token} | public  |
struct APIKeyRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.account.change("accounts/me/api_key", use: self.replace)
        groups.open.change("accounts/me/api_key/{auth_token}", use: self.exchange)
    }

    func replace(_: Request, _ context: AccountContext) async throws -> Response {
        let key = self.newKey()
        try await APIKeyRepository(self.services.database).replaceUnnamed(
            of: context.account.id, with: SHA256.hash(key.reveal()), at: self.services.now())
        return self.handOut(key, in: .text(key.reveal()))
    }

    func exchange(_: Request, _ context: PublicContext) async throws -> Response {
        let tokenHash = try SHA256.hash(context.segment("auth_token"))
        let key = self.newKey()
        let now = self.services.now()
        try await self.services.database.withTransaction { transaction in
            let account = try await AuthTokenRepository(transaction).consume(
                tokenHash, in: self.services.configuration.servedDomains, at: now)
            guard let account else { throw APIError.notFound() }
            try await APIKeyRepository(transaction).replaceUnnamed(
                of: account, with: SHA256.hash(key.reveal()), at: now)
        }
        return self.handOut(key, in: .json { json in json.object { json in json.member("api_key", key.reveal()) } })
    }

    private func newKey() -> Secret<String> {
        Secret(self.services.random.token(40))
    }

    private func handOut(_ key: Secret<String>, in response: Response) -> Response {
        var response = response
        response.headers[.setCookie] = APIKeyCookie(self.services.configuration).value(key)
        response.headers[.cacheControl] = "no-store"
        return response
    }
}
