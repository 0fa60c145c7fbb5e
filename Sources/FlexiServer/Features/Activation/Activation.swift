import FoundationEssentials
import OpenSSLCrypto
import PGClient

/// Brings accounts to life by the codes that were sent to their owners.
struct Activation: Sendable {
    enum Refusal: Error {
        /// The code is wrong or void, or there is no such account; which of them is nobody's business.
        case unknown
        /// The code is right, and too old.
        case expired
    }

    private typealias Outcome = Result<Account, Refusal>

    let services: Services

    /// Activates the account, takes its codes away, and sends the mail that says so where it has an address and mail can be
    /// sent. A number whose PIN did not come back is the account's no longer: calls to it would reach whoever named it. A wrong PIN
    /// is counted, and the last try that is allowed voids it.
    ///
    /// Throws `Refusal`.
    func activate(_ address: SIPAddress, by code: ActivationCode, in language: Language?) async throws -> Account {
        let scope = self.services.configuration.servedDomains
        let now = self.services.now()
        let outcome = try await self.services.database.withTransaction { transaction -> Outcome in
            let codes = ActivationRepository(transaction)
            guard let pending = try await codes.lock(code.purpose, of: address, in: scope) else {
                return .failure(.unknown)
            }
            guard pending.wrongTries < PIN.tries else { return .failure(.unknown) }
            let hash = code.hash(of: pending.account, key: self.services.keys.code)
            guard ConstantTime.equal(hash, pending.hash) else {
                if case .pin = code { try await codes.countWrongTry(of: pending.id) }
                return .failure(.unknown)
            }
            // Told apart from a wrong code only by whoever has the right one.
            if let expiresAt = pending.expiresAt, expiresAt <= now { return .failure(.expired) }
            try await codes.activate(pending.account, by: code.purpose)
            let accounts = AccountRepository(transaction, defaultRealm: self.services.configuration.accountRealm)
            guard let account = try await accounts.find(pending.account, in: scope) else { return .failure(.unknown) }
            if let email = account.email.flatMap(EmailAddress.init), self.services.configuration.mail != nil {
                try await Outbox(self.services).add(
                    .registrationConfirmed, to: email, of: account.id, in: language,
                    key: "registration confirmed \(account.id.rawValue)", to: transaction)
            }
            return .success(account)
        }
        return try outcome.get()
    }
}
