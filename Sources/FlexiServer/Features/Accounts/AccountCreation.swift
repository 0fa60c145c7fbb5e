import DigestAuth
import FoundationEssentials
import OpenSSLCrypto
import PGClient

/// Makes accounts with everything that belongs to them, each in one transaction.
struct AccountCreation: Sendable {
    struct Created: Sendable {
        let account: Account
        let secrets: Account.Secrets
    }

    let services: Services

    /// Creates the account in `domain`. One that is not activated gets a confirmation key and a provisioning token.
    ///
    /// Throws `AccountRepository.Conflict` when its name or number is taken; nothing is stored then.
    func create(_ new: NewAccount, in domain: RegisteredDomain) async throws -> Created {
        let now = self.services.now()
        return try await self.services.database.withTransaction { transaction in
            let accounts = self.accounts(in: transaction)
            let id = try await self.insert(new, in: domain, at: now, into: accounts)
            if let scope = new.admin { try await accounts.makeAdmin(id, scope: scope, at: now) }
            let secrets =
                new.isActivated
                ? Account.Secrets()
                : try await self.issueSecrets(for: id, expiringAt: new.confirmationKeyExpiresAt, at: now, in: accounts)
            guard let account = try await accounts.find(id, in: .only(domain.name)) else {
                throw DomainRemoved(name: domain.name)
            }
            return Created(account: account, secrets: secrets)
        }
    }

    /// Uses a creation token up to make an account in the token's domain. Of any number of requests with one token one makes
    /// an account, and one that is refused leaves the token as it was. An account that is not activated is sent the codes
    /// that activate it.
    ///
    /// Throws `UnknownToken` when there is no such token or it is used, `DomainSuspended`, `RegistrationClosed`, 429 when too many messages were
    /// asked for, and `AccountRepository.Conflict`, also for the name of a deleted account.
    func create(
        _ new: NewAccount, withToken tokenHash: [UInt8], from client: ClientAddress
    ) async throws -> Account {
        let now = self.services.now()
        return try await self.services.database.withTransaction { transaction in
            let tokens = AccountCreationTokenRepository(transaction)
            guard
                let token = try await tokens.use(
                    tokenHash,
                    madeAfter: HousekeepingChore.creationTokens.limit(at: now, by: self.services.configuration),
                    at: now)
            else { throw UnknownToken() }
            guard let domain = try await DomainRepository(transaction).find(token.domain) else {
                throw DomainRemoved(name: token.domain)
            }
            guard !domain.isSuspended else { throw DomainSuspended() }
            guard domain.isRegistrationOpen || !token.isPushed else { throw RegistrationClosed() }
            let accounts = self.accounts(in: transaction)
            if try await accounts.isTombstone(new.username, in: domain) {
                throw AccountRepository.Conflict.usernameTaken
            }
            let id = try await self.insert(new, in: domain, at: now, into: accounts)
            try await tokens.setAccount(id, of: token.id)
            try await ActivationCodes(services: self.services).send(
                to: new, id: id, asking: client, at: now, with: transaction)
            guard let account = try await accounts.find(id, in: .only(domain.name)) else {
                throw DomainRemoved(name: domain.name)
            }
            return account
        }
    }

    struct UnknownToken: Error {}
    struct DomainSuspended: Error {}
    /// Only administrators' tokens make accounts in the domain.
    struct RegistrationClosed: Error {}

    /// Creates an activated administrator, or makes one of an account that is there: activates it, widens its reach, and
    /// gives it the password if there is one. Returns whether the account is new.
    ///
    /// Throws `MissingPassword` when the account would be new and there is no password.
    func createAdmin(
        _ username: Username, in domain: RegisteredDomain, scope: AdminScope, password: Secret<String>?
    ) async throws -> Bool {
        let now = self.services.now()
        return try await self.services.database.withTransaction { transaction in
            let accounts = self.accounts(in: transaction)
            let address = SIPAddress(username: username, domain: domain.name)
            let existing = try await accounts.find(address, in: .only(domain.name))?.id
            let new = password.map {
                NewAccount(username: username, password: $0, algorithm: .sha256, isActivated: true)
            }
            let id: Account.ID
            if let existing {
                id = existing
                try await accounts.activate(id)
                if new != nil { try await accounts.revokeSecretsAfterPasswordChange(of: id) }
            } else if let new {
                id = try await accounts.insert(new, in: domain, at: now)
            } else {
                throw MissingPassword()
            }
            if let new { try await accounts.setPassword(self.hashes(of: new, in: domain), of: id) }
            try await accounts.makeAdmin(id, scope: scope, at: now)
            return existing == nil
        }
    }

    struct MissingPassword: Error {}

    private func accounts(in transaction: PGTransaction) -> AccountRepository {
        AccountRepository(transaction, defaultRealm: self.services.configuration.accountRealm)
    }

    private func insert(
        _ new: NewAccount, in domain: RegisteredDomain, at now: Date, into accounts: AccountRepository
    ) async throws -> Account.ID {
        let id = try await accounts.insert(new, in: domain, at: now)
        try await accounts.setPassword(self.hashes(of: new, in: domain), of: id)
        return id
    }

    private func hashes(of new: NewAccount, in domain: RegisteredDomain) -> PasswordHashes {
        PasswordHashes(
            of: new.password, username: new.username, domain: domain.name,
            realm: domain.effectiveRealm(default: self.services.configuration.accountRealm),
            algorithm: new.algorithm, both: self.services.configuration.passwordHashes == .both)
    }

    private func issueSecrets(
        for id: Account.ID, expiringAt expiresAt: Date?, at now: Date, in accounts: AccountRepository
    ) async throws -> Account.Secrets {
        let key = Secret(self.services.random.token(13))
        let token = Secret(self.services.random.token(13))
        try await accounts.setActivationCode(
            .email, hash: SHA256.hash(key.reveal()),
            sealed: SealedColumn.confirmationKey.seal(key, row: id.rawValue, with: self.services.keys.seal),
            expiresAt: expiresAt, of: id, at: now)
        try await accounts.setProvisioningToken(
            hash: SHA256.hash(token.reveal()),
            sealed: SealedColumn.provisioningToken.seal(token, row: id.rawValue, with: self.services.keys.seal),
            of: id, at: now)
        return Account.Secrets(confirmationKey: key, provisioningToken: token)
    }
}
