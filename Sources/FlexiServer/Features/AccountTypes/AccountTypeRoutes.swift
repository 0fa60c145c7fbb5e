import HTTPTypes
import Hummingbird
import Logging

/// | Method           | Path                          | Access |
/// |------------------|-------------------------------|--------|
/// | GET, POST        | account_types                 | admin  |
/// | GET, PUT, DELETE | account_types/{id}            | admin  |
/// | POST, DELETE     | accounts/{id}/types/{type_id} | admin  |
struct AccountTypeRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.admin.get("account_types", use: self.list)
        groups.admin.post("account_types", use: self.create)
        groups.admin.get("account_types/{type}", use: self.show)
        groups.admin.put("account_types/{type}", use: self.rename)
        groups.admin.delete("account_types/{type}", use: self.remove)
        groups.admin.post("accounts/{account}/types/{type}", use: self.attach)
        groups.admin.delete("accounts/{account}/types/{type}", use: self.detach)
    }

    private var types: AccountTypeRepository { AccountTypeRepository(self.services.database) }

    // MARK: Types

    func list(_ request: Request, _ context: AdminContext) async throws -> Response {
        try await .json(self.types.list(in: self.scope(of: request, context)))
    }

    /// One domain where `domain` in the query names it, as far as the administrator may see it.
    private func scope(of request: Request, _ context: AdminContext) throws -> DomainScope {
        guard self.services.configuration.managesManyDomains, let text = request.uri.queryParameters["domain"] else {
            return context.scope
        }
        guard let domain = DomainName(text) else {
            throw APIError.invalid("domain", "The domain is not a host name.")
        }
        guard context.scope.contains(domain) else { throw APIError.notFound() }
        return .only(domain)
    }

    func show(_: Request, _ context: AdminContext) async throws -> Response {
        let id = try AccountType.ID(rawValue: context.id("type"))
        guard let type = try await self.types.find(id, in: context.scope) else { throw APIError.notFound() }
        return .json(type)
    }

    func create(_ request: Request, _ context: AdminContext) async throws -> Response {
        let input = try await AccountTypeInput(
            validating: request.json(context), rules: self.services.configuration)
        let domain = try await self.domain(for: input.domain, in: context.scope)
        return try await self.translatingConflict {
            try await .json(self.types.insert(input.key, in: domain), status: .created)
        }
    }

    /// A super administrator names a registered domain, or takes the configured one; everybody else has one and no other.
    private func domain(for named: DomainName?, in scope: DomainScope) async throws -> RegisteredDomain {
        let name: DomainName
        switch scope {
        case .all: name = named ?? self.services.configuration.sipDomain
        case .only(let own):
            guard named == nil || named == own else {
                throw APIError.forbidden("Types of another domain are made by its own administrators.")
            }
            name = own
        }
        guard let domain = try await DomainRepository(self.services.database).find(name) else {
            throw APIError.invalid("domain", "The domain is not registered.")
        }
        return domain
    }

    func rename(_ request: Request, _ context: AdminContext) async throws -> Response {
        let id = try AccountType.ID(rawValue: context.id("type"))
        let input = try await AccountTypeInput(
            validating: request.json(context), rules: self.services.configuration)
        return try await self.translatingConflict {
            guard let type = try await self.types.rename(id, to: input.key, in: context.scope) else {
                throw APIError.notFound()
            }
            return .json(type)
        }
    }

    func remove(_: Request, _ context: AdminContext) async throws -> Response {
        let id = try AccountType.ID(rawValue: context.id("type"))
        guard try await self.types.remove(id, in: context.scope) else { throw APIError.notFound() }
        context.logger.info("account type removed", metadata: ["type.id": "\(id.rawValue)"])
        return .done
    }

    // MARK: Types of an account

    func attach(_: Request, _ context: AdminContext) async throws -> Response {
        let account = try await context.changeableAccount(self.services)
        let type = try AccountType.ID(rawValue: context.id("type"))
        return try await self.translatingConflict {
            let now = self.services.now()
            guard try await self.types.attach(type, to: account.id, in: context.scope, at: now) else {
                throw APIError.notFound()
            }
            return .done
        }
    }

    func detach(_: Request, _ context: AdminContext) async throws -> Response {
        let account = try await context.changeableAccount(self.services)
        let type = try AccountType.ID(rawValue: context.id("type"))
        return try await self.translatingConflict {
            guard try await self.types.detach(type, from: account.id, in: context.scope) else {
                throw APIError.notFound()
            }
            return .done
        }
    }

    private func translatingConflict(_ action: () async throws -> Response) async throws -> Response {
        do {
            return try await action()
        } catch let conflict as AccountTypeRepository.Conflict {
            throw switch conflict {
            case .keyTaken: APIError.invalid("key", "The domain has a type of this key.")
            case .alreadyAttached: APIError.forbidden("The account has the type already.")
            case .notAttached: APIError.forbidden("The account does not have the type.")
            }
        }
    }
}
