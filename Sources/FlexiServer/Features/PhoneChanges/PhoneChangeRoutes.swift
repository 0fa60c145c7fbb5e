import Hummingbird
import Logging

/// | Method | Path                      | Access  |
/// |--------|---------------------------|---------|
/// | POST   | accounts/me/phone/request | account |
/// | POST   | accounts/me/phone         | account |
struct PhoneChangeRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.account.post("accounts/me/phone/request", use: self.request)
        groups.account.post("accounts/me/phone", use: self.confirm)
    }

    func request(_ request: Request, _ context: AccountContext) async throws -> Response {
        var checker = try await Checker(request.json(context))
        checker.require("phone")
        let phone = checker.phoneNumber("phone")
        try checker.finish()
        guard let phone else { throw APIError.invalid("phone", Checker.missing("phone")) }
        let outbox = Outbox(self.services)
        try outbox.requireShortMessages(to: phone)
        let (limiter, now) = (self.services.limiter, self.services.now())
        try limiter.take(.sms, by: .account(context.account.id), at: now)
        try limiter.take(.sms, by: .recipient(phone.value), at: now)
        do {
            try await PhoneChange(services: self.services).request(
                phone, for: context.account, from: context.client, in: outbox.language(of: request))
        } catch PhoneChange.Refusal.accountRemoved {
            throw APIError.notFound()
        } catch PhoneChange.Refusal.unchanged {
            throw APIError.invalid("phone", "The phone is the account's already.")
        } catch let conflict as AccountRepository.Conflict {
            throw APIError(conflict)
        }
        context.logger.info("phone change requested")
        return .done
    }

    func confirm(_ request: Request, _ context: AccountContext) async throws -> Response {
        var checker = try await Checker(request.json(context))
        let pin = checker.requiredText("code", "The code is 4 digits.", as: { PIN($0) })
        try checker.finish()
        guard let pin else { throw checker.incomplete }
        do {
            let account = try await self.services.limiter.guess(
                .codes, by: context.claim, at: self.services.now(),
                isWrong: { $0 as? PhoneChange.Refusal == .wrongCode }
            ) {
                try await PhoneChange(services: self.services).confirm(pin, of: context.account)
            }
            context.logger.info("phone changed")
            return .json(account)
        } catch PhoneChange.Refusal.accountRemoved {
            throw APIError.notFound()
        } catch PhoneChange.Refusal.nothingPending {
            throw APIError.notFound("No change of the phone is under way.")
        } catch PhoneChange.Refusal.wrongCode {
            throw APIError.wrongCode
        } catch PhoneChange.Refusal.expired {
            throw APIError.expiredCode
        } catch let conflict as AccountRepository.Conflict {
            throw APIError(conflict)
        }
    }
}
