import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import OpenSSLCrypto

/// | Method | Path                                 | Access |
/// |--------|--------------------------------------|--------|
/// | POST   | account_creation_tokens              | admin  |
/// | POST   | accounts/with-account-creation-token | public |
/// | POST   | accounts/with-token                  | public |
struct AccountCreationTokenRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.admin.post("account_creation_tokens", use: self.create)
        for path in ["accounts/with-account-creation-token", "accounts/with-token"] {
            groups.open.post(RouterPath(path), use: self.register)
        }
    }

    func create(_: Request, _ context: AdminContext) async throws -> Response {
        let token = Secret(self.services.random.token(13))
        let now = self.services.now()
        let domain =
            switch context.scope {
            case .all: context.account.domain
            case .only(let name): name
            }
        let id = try await AccountCreationTokenRepository(self.services.database).insert(
            SHA256.hash(token.reveal()), for: domain, by: context.account.id, at: now)
        guard let id else { throw APIError.forbidden("The domain is not registered.") }
        return .json(IssuedToken(id: id, token: token, createdAt: now), status: .created)
    }

    func register(_ request: Request, _ context: PublicContext) async throws -> Response {
        let outbox = Outbox(self.services)
        let input = try await RegistrationInput(
            validating: request.json(context), rules: self.services.configuration, from: context.client,
            userAgent: request.headers[.userAgent], language: outbox.language(of: request))
        if input.account.email != nil { try outbox.requireMail() }
        if let phone = input.account.phone { try outbox.requireShortMessages(to: phone) }
        do {
            let account = try await AccountCreation(services: self.services).create(
                input.account, withToken: SHA256.hash(input.token.reveal()), from: context.client)
            context.logger.info("account created", metadata: ["created.id": "\(account.id.rawValue)"])
            return .json(account)
        } catch is AccountCreation.UnknownToken {
            throw APIError.invalid(input.tokenField, "The token is not valid, or was used already.")
        } catch is AccountCreation.DomainSuspended {
            throw APIError.forbidden("The domain is suspended.")
        } catch is AccountCreation.RegistrationClosed {
            throw APIError.forbidden("Registration is closed in this domain.")
        } catch let conflict as AccountRepository.Conflict {
            throw APIError(conflict)
        }
    }
}
