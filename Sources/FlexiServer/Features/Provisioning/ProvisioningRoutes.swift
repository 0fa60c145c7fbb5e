import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import OpenSSLCrypto
import PGClient
import QRCode

/// | Method | Path                                  | Access  |
/// |--------|---------------------------------------|---------|
/// | GET    | /provisioning                         | public  |
/// | GET    | /provisioning/{provisioning_token}    | public  |
/// | GET    | /provisioning/auth_token/{auth_token} | public  |
/// | GET    | /provisioning/me                      | account |
/// | GET    | /provisioning/qrcode/{token}          | public  |
struct ProvisioningRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.root.get("provisioning", use: self.showBase)
        groups.root.get("provisioning/{provisioning_token}", answersHead: false, use: self.provision)
        // Link previews ask by HEAD, and must not use the token up.
        groups.root.head("provisioning/{provisioning_token}", use: self.showBase)
        groups.root.get("provisioning/auth_token/{auth_token}", answersHead: false, use: self.exchange)
        groups.rootAccount.get("provisioning/me", use: self.showOwn)
        groups.root.get("provisioning/qrcode/{provisioning_token}", use: self.showQRCode)
    }

    func showBase(_ request: Request, _: PublicContext) async throws -> Response {
        let response = self.response(with: nil)
        return request.method == .head ? response.createHeadResponse() : response
    }

    func provision(_: Request, _ context: PublicContext) async throws -> Response {
        // A segment that cannot be read is a token that nobody has.
        guard let token = try? context.segment("provisioning_token") else { return self.response(with: nil) }
        let account = try await ProvisioningRepository(self.services.database).consume(
            SHA256.hash(token), in: self.services.configuration.servedDomains, at: self.services.now())
        if let account { context.logger.info("account provisioned", metadata: ["account": "\(account.address)"]) }
        return self.response(with: account)
    }

    func exchange(_: Request, _ context: PublicContext) async throws -> Response {
        let tokenHash = try SHA256.hash(context.segment("auth_token"))
        let now = self.services.now()
        let account = try await self.services.database.withTransaction { transaction in
            let id = try await AuthTokenRepository(transaction).consume(
                tokenHash, in: self.services.configuration.servedDomains, at: now)
            guard let id, let account = try await ProvisioningRepository(transaction).find(id) else {
                throw APIError.notFound()
            }
            return account
        }
        context.logger.info("account provisioned", metadata: ["account": "\(account.address)"])
        return self.response(with: account)
    }

    func showOwn(_: Request, _ context: AccountContext) async throws -> Response {
        try await self.response(with: ProvisioningRepository(self.services.database).find(context.account.id))
    }

    func showQRCode(_ request: Request, _ context: PublicContext) async throws -> Response {
        let token = try context.segment("provisioning_token")
        let tokens = ProvisioningRepository(self.services.database)
        let isValid = try await tokens.exists(
            SHA256.hash(token), in: self.services.configuration.servedDomains, at: self.services.now())
        guard isValid else { throw APIError.notFound() }
        let code = try QRCode(text: self.services.configuration.appURL.appending("/provisioning/\(token)"))
        let asksForSVG = request.headers[.accept]?.lowercased().contains("image/svg+xml") ?? false
        var response =
            asksForSVG
            ? Response(contentType: "image/svg+xml", body: ByteBuffer(string: code.svg()))
            : Response(contentType: "image/png", body: ByteBuffer(bytes: code.png()))
        response.headers[.cacheControl] = "no-store"
        response.headers[.vary] = "Accept"
        return response
    }

    private func response(with account: ProvisioningDocument.Account?) -> Response {
        let configuration = self.services.configuration
        var document = configuration.provisioningTemplate
        document.set("contacts-vcard-list", in: "misc", to: configuration.appURL.appending("/contacts/vcard"))
        if let account { document.add(account) }
        var response = Response(
            contentType: "application/xml; charset=utf-8",
            body: ByteBuffer(string: document.xml(overwrite: configuration.provisioningOverwritesAll)))
        response.headers[.cacheControl] = "no-store"
        return response
    }
}
