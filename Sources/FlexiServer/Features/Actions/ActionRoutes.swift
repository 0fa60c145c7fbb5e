import HTTPTypes
import Hummingbird

/// | Method           | Path                              | Access |
/// |------------------|-----------------------------------|--------|
/// | GET, POST        | accounts/{id}/actions             | admin  |
/// | GET, PUT, DELETE | accounts/{id}/actions/{action_id} | admin  |
///
/// 403 for an account without a DTMF protocol, whose actions nobody could start.
struct ActionRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.admin.get("accounts/{account}/actions", use: self.list)
        groups.admin.post("accounts/{account}/actions", use: self.create)
        groups.admin.get("accounts/{account}/actions/{action}", use: self.show)
        groups.admin.put("accounts/{account}/actions/{action}", use: self.replace)
        groups.admin.delete("accounts/{account}/actions/{action}", use: self.remove)
    }

    private var actions: ActionRepository { ActionRepository(self.services.database) }

    func list(_: Request, _ context: AdminContext) async throws -> Response {
        let account = try await Self.withDTMF(context.administeredAccount(self.services))
        return try await .json(self.actions.list(of: account.id, in: context.scope))
    }

    func show(_: Request, _ context: AdminContext) async throws -> Response {
        let account = try await Self.withDTMF(context.administeredAccount(self.services))
        let id = try context.id("action")
        guard let action = try await self.actions.find(id, of: account.id, in: context.scope) else {
            throw APIError.notFound()
        }
        return .json(action)
    }

    func create(_ request: Request, _ context: AdminContext) async throws -> Response {
        let account = try await Self.withDTMF(context.changeableAccount(self.services))
        let input = try await ActionInput(validating: request.json(context))
        guard let action = try await self.actions.insert(input, for: account.id, in: context.scope) else {
            throw APIError.notFound()
        }
        return .json(action, status: .created)
    }

    func replace(_ request: Request, _ context: AdminContext) async throws -> Response {
        let account = try await Self.withDTMF(context.changeableAccount(self.services))
        let id = try context.id("action")
        let input = try await ActionInput(validating: request.json(context))
        guard let action = try await self.actions.update(id, to: input, of: account.id, in: context.scope) else {
            throw APIError.notFound()
        }
        return .json(action)
    }

    func remove(_: Request, _ context: AdminContext) async throws -> Response {
        let account = try await Self.withDTMF(context.changeableAccount(self.services))
        guard try await self.actions.remove(context.id("action"), of: account.id, in: context.scope) else {
            throw APIError.notFound()
        }
        return .done
    }

    private static func withDTMF(_ account: AdministeredAccount) throws(APIError) -> AdministeredAccount {
        guard account.dtmfProtocol != nil else { throw .forbidden("The account has no DTMF protocol.") }
        return account
    }
}
