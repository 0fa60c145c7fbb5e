import FoundationEssentials
import OpenSSLCrypto
import PGClient

/// Gives an account another mail address: a code goes to the new address, and whoever sends it back has shown that it is theirs.
struct EmailChange: Sendable {
    private static let lifetime: TimeInterval = 24 * 60 * 60

    let services: Services

    /// Stores the new address and the mail with its code in one transaction.
    ///
    /// Throws `ProfileChangeRefusal.unchanged` for the address that the account has; nothing is stored then.
    func request(_ newEmail: EmailAddress, for account: AuthenticatedAccount, in language: Language?) async throws {
        let code = Secret(self.services.random.token(13))
        let hash = SHA256.hash(code.reveal())
        let now = self.services.now()
        let expiresAt = now.addingTimeInterval(Self.lifetime)
        try await self.services.database.withTransaction { transaction in
            guard
                let current = try await AccountProfileRepository(transaction).lock(
                    account.id, in: .only(account.domain))
            else { throw ProfileChangeRefusal.accountRemoved }
            guard current.profile.email != newEmail else { throw ProfileChangeRefusal.unchanged }
            try await EmailChangeRepository(transaction).put(
                newEmail, codeHash: hash, expiresAt: expiresAt, of: account.id, at: now)
            try await Outbox(self.services).add(
                .confirmAddress(code: code), to: newEmail, of: account.id, in: language,
                key: "email change \(account.id.rawValue) \(Hex.encode(hash))", validUntil: expiresAt, to: transaction)
        }
    }

    /// Makes the address that waits the account's, and tells the one before it.
    ///
    /// Throws `ProfileChangeRefusal`; nothing changes then.
    func confirm(
        _ code: Secret<String>, of id: Account.ID, domain: DomainName, in language: Language?
    ) async throws -> Account {
        let hash = SHA256.hash(code.reveal())
        let now = self.services.now()
        return try await self.services.database.withTransaction { transaction in
            let profiles = AccountProfileRepository(transaction)
            let changes = EmailChangeRepository(transaction)
            guard let current = try await profiles.lock(id, in: .only(domain)),
                let pending = try await changes.find(of: id)
            else { throw ProfileChangeRefusal.nothingPending }
            guard ConstantTime.equal(hash, pending.codeHash) else { throw ProfileChangeRefusal.wrongCode }
            guard pending.expiresAt > now else { throw ProfileChangeRefusal.expired }
            try await profiles.update(id, to: current.profile.with(email: pending.newEmail))
            try await changes.delete(of: id)
            try await Outbox(self.services).addNotice(
                to: current.profile.email, replacedBy: pending.newEmail, of: id, in: language, to: transaction)
            let accounts = AccountRepository(transaction, defaultRealm: self.services.configuration.accountRealm)
            guard let account = try await accounts.find(id, in: .only(domain)) else {
                throw ProfileChangeRefusal.accountRemoved
            }
            return account
        }
    }
}
