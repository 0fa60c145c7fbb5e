import Hummingbird
import Logging

/// | Method | Path                      | Access  |
/// |--------|---------------------------|---------|
/// | POST   | accounts/me/email/request | account |
/// | POST   | accounts/me/email         | account |
struct EmailChangeRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.account.post("accounts/me/email/request", use: self.request)
        groups.account.post("accounts/me/email", use: self.confirm)
    }

    func request(_ request: Request, _ context: AccountContext) async throws -> Response {
        var checker = try await Checker(request.json(context))
        checker.require("email")
        let email = checker.emailAddress("email")
        try checker.finish()
        guard let email else { throw APIError.invalid("email", Checker.missing("email")) }
        let outbox = Outbox(self.services)
        try outbox.requireMail()
        let (limiter, now) = (self.services.limiter, self.services.now())
        try limiter.take(.mail, by: .account(context.account.id), at: now)
        try limiter.take(.mail, by: .recipient(email.value.lowercased()), at: now)
        do {
            try await EmailChange(services: self.services).request(
                email, for: context.account, in: outbox.language(of: request))
        } catch EmailChange.Refusal.accountRemoved {
            throw APIError.notFound()
        } catch EmailChange.Refusal.unchanged {
            throw APIError.invalid("email", "The email is the account's already.")
        }
        context.logger.info("email change requested")
        return .done
    }

    func confirm(_ request: Request, _ context: AccountContext) async throws -> Response {
        var checker = try await Checker(request.json(context))
        let code = checker.requiredText("code", "The code is 13 letters and digits.") { text in
            if case .key(let code)? = ActivationCode(text) { code } else { nil }
        }
        try checker.finish()
        guard let code else { throw checker.incomplete }
        do {
            let account = try await self.services.limiter.guess(
                .codes, by: context.claim, at: self.services.now(),
                isWrong: { $0 as? EmailChange.Refusal == .wrongCode }
            ) {
                try await EmailChange(services: self.services).confirm(
                    code, of: context.account.id, domain: context.account.domain,
                    in: Outbox(self.services).language(of: request))
            }
            context.logger.info("email changed")
            return .json(account)
        } catch EmailChange.Refusal.accountRemoved {
            throw APIError.notFound()
        } catch EmailChange.Refusal.nothingPending {
            throw APIError.notFound("No change of the email is under way.")
        } catch EmailChange.Refusal.wrongCode {
            throw APIError.wrongCode
        } catch EmailChange.Refusal.expired {
            throw APIError.expiredCode
        }
    }
}
