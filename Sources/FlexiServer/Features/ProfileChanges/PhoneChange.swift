import FoundationEssentials
import OpenSSLCrypto
import PGClient

/// Gives an account another phone number: a PIN goes to the new number, and whoever sends it back has shown that it is theirs.
struct PhoneChange: Sendable {
    private typealias Outcome = Result<Account, ProfileChangeRefusal>

    let services: Services

    /// Stores the new number and the short message with its PIN in one transaction.
    ///
    /// Throws `ProfileChangeRefusal.unchanged`, `AccountRepository.Conflict` for another account's number, and 429 when the day's messages
    /// are used up; nothing is stored then.
    func request(
        _ newPhone: PhoneNumber, for account: AuthenticatedAccount, from client: ClientAddress, in language: Language?
    ) async throws {
        let pin = self.services.random.pin()
        let hash = pin.hash(for: .phoneChange, of: account.id.rawValue, key: self.services.keys.code)
        let now = self.services.now()
        let expiresAt = now.addingTimeInterval(PIN.lifetime)
        try await self.services.database.withTransaction { transaction in
            let changes = PhoneChangeRepository(transaction)
            guard
                let current = try await AccountProfileRepository(transaction).lock(
                    account.id, in: .only(account.domain))
            else { throw ProfileChangeRefusal.accountRemoved }
            guard current.profile.phone != newPhone else { throw ProfileChangeRefusal.unchanged }
            if try await changes.isTaken(newPhone, in: current.domain) { throw AccountRepository.Conflict.phoneTaken }
            try await changes.put(newPhone, codeHash: hash, expiresAt: expiresAt, of: account.id, at: now)
            try await Outbox(self.services).add(
                pin, to: newPhone, of: account.id, asking: client, in: language,
                key: "phone change \(account.id.rawValue) \(self.services.random.token(13))", validUntil: expiresAt,
                to: transaction)
        }
    }

    /// Makes the number that waits the account's. A wrong try is counted, and the last one that is allowed voids the PIN.
    ///
    /// Throws `ProfileChangeRefusal`, and `AccountRepository.Conflict` when another account has taken the number meanwhile.
    func confirm(_ pin: PIN, of account: AuthenticatedAccount) async throws -> Account {
        let hash = pin.hash(for: .phoneChange, of: account.id.rawValue, key: self.services.keys.code)
        let now = self.services.now()
        let outcome = try await self.services.database.withTransaction { transaction -> Outcome in
            let profiles = AccountProfileRepository(transaction)
            let changes = PhoneChangeRepository(transaction)
            guard let current = try await profiles.lock(account.id, in: .only(account.domain)),
                let pending = try await changes.find(of: account.id)
            else { return .failure(.nothingPending) }
            guard pending.attempts < PIN.tries else { return .failure(.wrongCode) }
            guard ConstantTime.equal(hash, pending.codeHash) else {
                try await changes.countWrongTry(of: account.id)
                return .failure(.wrongCode)
            }
            guard pending.expiresAt > now else { return .failure(.expired) }
            try await profiles.update(account.id, to: current.profile.with(phone: pending.newPhone))
            try await changes.delete(of: account.id)
            let accounts = AccountRepository(transaction, defaultRealm: self.services.configuration.accountRealm)
            return try await accounts.find(account.id, in: .only(account.domain)).map { .success($0) }
                ?? .failure(.accountRemoved)
        }
        return try outcome.get()
    }
}
