import HTTPTypes
import Hummingbird
import Logging
import PGClient

/// | Method | Path                | Access |
/// |--------|---------------------|--------|
/// | POST   | accounts            | admin  |
/// | GET    | accounts/{sip}/info | public |
struct AccountRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.admin.post("accounts", use: self.create)
        groups.open.get("accounts/{account}/info", use: self.showInfo)
    }

    func create(_ request: Request, _ context: AdminContext) async throws -> Response {
        let input = try await AccountInput(
            validating: request.json(context), rules: self.services.configuration, from: context.client,
            userAgent: request.headers[.userAgent])
        let domain = try await self.domain(for: input.domain, in: context.scope)
        do {
            let created = try await AccountCreation(services: self.services).create(input.account, in: domain)
            context.logger.info("account created", metadata: ["created.id": "\(created.account.id.rawValue)"])
            return .json(AccountWithSecrets(account: created.account, secrets: created.secrets))
        } catch let conflict as AccountRepository.Conflict {
            throw APIError(conflict)
        }
    }

    /// A super administrator names a domain, or takes the configured one; everybody else has one and no other.
    private func domain(for named: DomainName?, in scope: DomainScope) async throws -> RegisteredDomain {
        let name: DomainName
        switch scope {
        case .all: name = named ?? self.services.configuration.sipDomain
        case .only(let own):
            guard named == nil || named == own else {
                throw APIError.forbidden("Accounts of another domain are made by its own administrators.")
            }
            name = own
        }
        let domains = DomainRepository(self.services.database)
        let isStrict = self.services.configuration.isStrictAboutDomains
        let domain = isStrict ? try await domains.find(name) : try await domains.register(name)
        guard let domain else { throw APIError.invalid("domain", "The domain is not registered.") }
        guard !domain.isSuspended else { throw APIError.forbidden("The domain is suspended.") }
        return domain
    }

    func showInfo(_: Request, _ context: PublicContext) async throws -> Response {
        guard self.services.configuration.isInfoEnabled else { throw APIError.notFound() }
        try self.services.limiter.take(.info, by: .network(context.client.network), at: self.services.now())
        let address = try context.sipAddress("account")
        let accounts = AccountRepository(
            self.services.database.sharedReads, defaultRealm: self.services.configuration.accountRealm)
        guard let info = try await accounts.findInfo(address, in: self.services.configuration.servedDomains) else {
            throw APIError.notFound()
        }
        return .json(info)
    }
}

extension APIError {
    init(_ conflict: AccountRepository.Conflict) {
        self =
            switch conflict {
            case .usernameTaken: .invalid("username", "The username is taken.")
            case .phoneTaken: .invalid("phone", "The phone belongs to another account.")
            }
    }
}
