import FoundationEssentials
import Hummingbird
import Logging
import PGClient

/// What everybody does with their own account.
///
/// | Method | Path                 | Access  |
/// |--------|----------------------|---------|
/// | GET    | accounts/me          | account |
/// | DELETE | accounts/me          | account |
/// | POST   | accounts/me/password | account |
struct OwnAccountRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.account.get("accounts/me", use: self.show)
        groups.account.delete("accounts/me", use: self.delete)
        groups.account.post("accounts/me/password", use: self.changePassword)
    }

    func show(_: Request, _ context: AccountContext) async throws -> Response {
        let accounts = AccountRepository(
            self.services.database.sharedReads, defaultRealm: self.services.configuration.accountRealm)
        // It was there a moment ago, when it proved who it is.
        guard let account = try await accounts.find(context.account.id, in: .only(context.account.domain)) else {
            throw APIError.notFound()
        }
        return .json(account)
    }

    func delete(_: Request, _ context: AccountContext) async throws -> Response {
        do {
            try await self.services.database.withTransaction { transaction in
                let life = AccountLifeRepository(transaction)
                try await life.keepASuperAdministrator(besides: context.account.id)
                try await life.delete(
                    context.account.id, in: .only(context.account.domain), at: self.services.now())
            }
        } catch is AccountLifeRepository.LastSuperAdministrator {
            throw APIError.lastSuperAdministrator
        }
        context.logger.info("account deleted")
        return .done
    }

    func changePassword(_ request: Request, _ context: AccountContext) async throws -> Response {
        let input = try await PasswordInput(
            validating: request.json(context), rules: self.services.configuration)
        let change = PasswordChange(services: self.services)
        do {
            try await self.services.limiter.guess(
                .authentication, by: context.claim, at: self.services.now(),
                isWrong: { $0 as? PasswordChange.Refusal == .oldPasswordWrong }
            ) {
                try await change.change(
                    context.account, from: input.oldPassword, to: input.password, algorithm: input.algorithm)
            }
        } catch PasswordChange.Refusal.oldPasswordMissing {
            throw APIError.invalid("old_password", Checker.missing("old_password"))
        } catch PasswordChange.Refusal.oldPasswordWrong {
            context.logger.info("password change refused")
            throw APIError.invalid("old_password", "The old password is not right.")
        }
        context.logger.info("password changed")
        return .done
    }
}

extension APIError {
    static let lastSuperAdministrator = APIError.forbidden("The last super administrator must stay.")
}
