import Hummingbird
import Logging

/// An address or a number is the account's once its owner has sent back the code that was sent there.
///
/// | Method | Path                      | Access  |
/// |--------|---------------------------|---------|
/// | POST   | accounts/me/email/request | account |
/// | POST   | accounts/me/email         | account |
/// | POST   | accounts/me/phone/request | account |
/// | POST   | accounts/me/phone         | account |
struct ProfileChangeRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.account.post("accounts/me/email/request", use: self.requestEmail)
        groups.account.post("accounts/me/email", use: self.confirmEmail)
        groups.account.post("accounts/me/phone/request", use: self.requestPhone)
        groups.account.post("accounts/me/phone", use: self.confirmPhone)
    }

    // MARK: Mail address

    func requestEmail(_ request: Request, _ context: AccountContext) async throws -> Response {
        var checker = try await Checker(request.json(context))
        checker.require("email")
        let email = checker.emailAddress("email")
        try checker.finish()
        guard let email else { throw APIError.invalid("email", Checker.missing("email")) }
        let outbox = Outbox(self.services)
        try outbox.requireMail()
        try self.count(.mail, to: email.value.lowercased(), context)
        try await self.answering("email") {
            try await EmailChange(services: self.services).request(
                email, for: context.account, in: outbox.language(of: request))
        }
        context.logger.info("email change requested")
        return .done
    }

    func confirmEmail(_ request: Request, _ context: AccountContext) async throws -> Response {
        var checker = try await Checker(request.json(context))
        let code = checker.requiredText("code", "The code is 13 letters and digits.") { text in
            if case .key(let code)? = ActivationCode(text) { code } else { nil }
        }
        try checker.finish()
        guard let code else { throw checker.incomplete }
        let account = try await self.guessing("email", context) {
            try await EmailChange(services: self.services).confirm(
                code, of: context.account.id, domain: context.account.domain,
                in: Outbox(self.services).language(of: request))
        }
        context.logger.info("email changed")
        return .json(account)
    }

    // MARK: Phone number

    func requestPhone(_ request: Request, _ context: AccountContext) async throws -> Response {
        var checker = try await Checker(request.json(context))
        checker.require("phone")
        let phone = checker.phoneNumber("phone")
        try checker.finish()
        guard let phone else { throw APIError.invalid("phone", Checker.missing("phone")) }
        let outbox = Outbox(self.services)
        try outbox.requireShortMessages(to: phone)
        try self.count(.sms, to: phone.value, context)
        try await self.answering("phone") {
            try await PhoneChange(services: self.services).request(
                phone, for: context.account, from: context.client, in: outbox.language(of: request))
        }
        context.logger.info("phone change requested")
        return .done
    }

    func confirmPhone(_ request: Request, _ context: AccountContext) async throws -> Response {
        var checker = try await Checker(request.json(context))
        let pin = checker.requiredText("code", "The code is 4 digits.", as: { PIN($0) })
        try checker.finish()
        guard let pin else { throw checker.incomplete }
        let account = try await self.guessing("phone", context) {
            try await PhoneChange(services: self.services).confirm(pin, of: context.account)
        }
        context.logger.info("phone changed")
        return .json(account)
    }

    // MARK: Both

    private func count(_ limit: RateLimit, to recipient: String, _ context: AccountContext) throws(APIError) {
        let (limiter, now) = (self.services.limiter, self.services.now())
        try limiter.take(limit, by: .account(context.account.id), at: now)
        try limiter.take(limit, by: .recipient(recipient), at: now)
    }

    private func guessing(
        _ field: String, _ context: AccountContext, _ body: () async throws -> Account
    ) async throws -> Account {
        try await self.answering(field) {
            try await self.services.limiter.guess(
                .codes, by: context.claim, at: self.services.now(),
                isWrong: { $0 as? ProfileChangeRefusal == .wrongCode }, body)
        }
    }

    /// Puts refusals of `body` into the words of the API.
    private func answering<Answer>(_ field: String, _ body: () async throws -> Answer) async throws -> Answer {
        do {
            return try await body()
        } catch let refusal as ProfileChangeRefusal {
            throw APIError(refusal, of: field)
        } catch let conflict as AccountRepository.Conflict {
            throw APIError(conflict)
        }
    }
}
