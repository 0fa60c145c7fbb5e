import FoundationEssentials
import Hummingbird
import Logging
import OpenSSLCrypto
import PGClient

/// What administrators do with the accounts of their domains.
///
/// | Method    | Path                          | Access |
/// |-----------|-------------------------------|--------|
/// | GET       | accounts                      | admin  |
/// | GET       | accounts/{id}                 | admin  |
/// | GET       | accounts/{sip}/search         | admin  |
/// | PATCH     | accounts/{id}                 | admin  |
/// | PUT       | accounts/{id}                 | admin  |
/// | DELETE    | accounts/{id}                 | admin  |
/// | GET, POST | accounts/{id}/activate        | admin  |
/// | GET, POST | accounts/{id}/deactivate      | admin  |
/// | GET, POST | accounts/{id}/provision       | admin  |
struct AdministrationRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.admin.get("accounts", use: self.list)
        groups.admin.get("accounts/{account}", use: self.show)
        groups.admin.get("accounts/{account}/search", use: self.search)
        groups.admin.patch("accounts/{account}") { request, context in
            try await self.edit(request, context, isWhole: false)
        }
        groups.admin.put("accounts/{account}") { request, context in
            try await self.edit(request, context, isWhole: true)
        }
        groups.admin.delete("accounts/{account}", use: self.delete)
        groups.admin.change("accounts/{account}/activate", use: self.activate)
        groups.admin.change("accounts/{account}/deactivate", use: self.deactivate)
        groups.admin.change("accounts/{account}/provision", use: self.provision)
    }

    func list(_ request: Request, _ context: AdminContext) async throws -> Response {
        let query = try AccountListQuery(request, rules: self.services.configuration)
        var scope = context.scope
        if let domain = query.domain {
            guard scope.contains(domain) else { throw APIError.notFound() }
            scope = .only(domain)
        }
        let lists = AccountListRepository(self.services.database)
        let total: Int?
        let ids: [Account.ID]
        switch query.part {
        case .page(let page):
            let count = try await lists.count(query.filter, in: scope)
            ids = try await lists.ids(query.filter, in: scope, page: page, size: query.size, of: count)
            total = count
        case .after(let last):
            ids = try await lists.ids(query.filter, in: scope, after: last, size: query.size)
            total = nil
        }
        let accounts = try await ids.isEmpty ? [] : self.accounts(self.services.database).find(ids, in: scope)
        return .json(
            AccountList(
                accounts: accounts, query: query, total: total,
                path: self.services.configuration.appURL.appending("/api/accounts")))
    }

    func show(_: Request, _ context: AdminContext) async throws -> Response {
        let id = try Account.ID(rawValue: context.id("account"))
        let accounts = self.accounts(self.services.database)
        guard let account = try await accounts.find(id, in: context.scope) else { throw APIError.notFound() }
        // Whoever holds a super administrator's token can become one.
        let maySeeSecrets = account.admin?.scope != .super || context.account.adminScope == .super
        let sealed = try await maySeeSecrets ? accounts.findSecrets(of: id) : nil
        return try .json(AccountWithSecrets(account: account, secrets: self.open(sealed, of: id)))
    }

    func search(_: Request, _ context: AdminContext) async throws -> Response {
        let address = try context.sipAddress("account")
        let account = try await self.accounts(self.services.database).find(address, in: context.scope)
        guard let account else { throw APIError.notFound() }
        return .json(account)
    }

    private func edit(_ request: Request, _ context: AdminContext, isWhole: Bool) async throws -> Response {
        let target = try await context.changeableAccount(self.services)
        let input = try await AccountChangeInput(
            validating: request.json(context), rules: self.services.configuration, isWhole: isWhole)
        do {
            let changed = try await AccountEditing(services: self.services).apply(
                input.change, to: target.id, in: context.scope, by: context.account)
            context.logger.info("account changed", metadata: ["changed.id": "\(target.id.rawValue)"])
            return .json(changed)
        } catch let refusal as AccountEditing.Refusal {
            throw APIError(refusal)
        } catch let conflict as AccountRepository.Conflict {
            throw APIError(conflict)
        } catch is AccountLifeRepository.LastSuperAdministrator {
            throw APIError.lastSuperAdministrator
        }
    }

    func delete(_: Request, _ context: AdminContext) async throws -> Response {
        let target = try await context.changeableAccount(self.services)
        try await self.change { life in
            try await life.keepASuperAdministrator(besides: target.id)
            let isDeleted = try await life.delete(target.id, in: context.scope, at: self.services.now())
            guard isDeleted else { throw APIError.notFound() }
        }
        context.logger.info("account deleted", metadata: ["deleted.id": "\(target.id.rawValue)"])
        return .done
    }

    func activate(_: Request, _ context: AdminContext) async throws -> Response {
        let target = try await context.changeableAccount(self.services)
        try await self.accounts(self.services.database).activate(target.id)
        context.logger.info("account activated", metadata: ["activated.id": "\(target.id.rawValue)"])
        return try await self.answer(target.id, context)
    }

    func deactivate(_: Request, _ context: AdminContext) async throws -> Response {
        let target = try await context.changeableAccount(self.services)
        try await self.change { life in
            try await life.keepASuperAdministrator(besides: target.id)
            try await life.deactivate(target.id)
        }
        context.logger.info("account deactivated", metadata: ["deactivated.id": "\(target.id.rawValue)"])
        return try await self.answer(target.id, context)
    }

    func provision(_: Request, _ context: AdminContext) async throws -> Response {
        let target = try await context.changeableAccount(self.services)
        let token = Secret(self.services.random.token(13))
        let accounts = self.accounts(self.services.database)
        try await accounts.setProvisioningToken(
            hash: SHA256.hash(token.reveal()),
            sealed: SealedColumn.provisioningToken.seal(token, row: target.id.rawValue, with: self.services.keys.seal),
            of: target.id, at: self.services.now())
        guard let account = try await accounts.find(target.id, in: context.scope) else { throw APIError.notFound() }
        let key = try await self.open(accounts.findSecrets(of: target.id), of: target.id).confirmationKey
        return .json(
            AccountWithSecrets(
                account: account, secrets: Account.Secrets(confirmationKey: key, provisioningToken: token)))
    }

    private func accounts(_ db: any PGQuerying) -> AccountRepository {
        AccountRepository(db, defaultRealm: self.services.configuration.accountRealm)
    }

    private func answer(_ id: Account.ID, _ context: AdminContext) async throws -> Response {
        let account = try await self.accounts(self.services.database).find(id, in: context.scope)
        guard let account else { throw APIError.notFound() }
        return .json(account)
    }

    private func change(_ body: @Sendable (AccountLifeRepository) async throws -> Void) async throws {
        do {
            try await self.services.database.withTransaction { try await body(AccountLifeRepository($0)) }
        } catch is AccountLifeRepository.LastSuperAdministrator {
            throw APIError.lastSuperAdministrator
        }
    }

    private func open(_ sealed: AccountRepository.SealedSecrets?, of id: Account.ID) throws -> Account.Secrets {
        let keys = self.services.keys.seal
        return try Account.Secrets(
            confirmationKey: sealed?.confirmationKey.map {
                try SealedColumn.confirmationKey.open($0, row: id.rawValue, with: keys)
            },
            provisioningToken: sealed?.provisioningToken.map {
                try SealedColumn.provisioningToken.open($0, row: id.rawValue, with: keys)
            })
    }
}

extension APIError {
    fileprivate init(_ refusal: AccountEditing.Refusal) {
        self =
            switch refusal {
            case .unknown: .notFound()
            case .isSuperAdministrator: .superAdministratorsOnly
            case .mayNotAppoint: .forbidden("Only super administrators may make and unmake administrators.")
            case .renames(let fields):
                .invalid(
                    fields.map { field in
                        Problem(
                            field: field,
                            messages: ["The \(field) cannot change: the password's hashes are bound to it."])
                    })
            }
    }
}
