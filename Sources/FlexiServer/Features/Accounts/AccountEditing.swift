import DigestAuth
import PGClient

/// Changes accounts for administrators, each in one transaction.
struct AccountEditing: Sendable {
    enum Refusal: Error {
        case unknown
        /// The account is a super administrator's, and the caller is none.
        case isSuperAdministrator
        /// Only super administrators make and unmake administrators.
        case mayNotAppoint
        /// The fields that would rename the account.
        case renames([String])
    }

    let services: Services

    /// A new password revokes what the old one could have opened, but for the key that `caller` uses; taking the account out
    /// of service revokes everything that could open or change it. A new address or number ends the confirmation of another, and
    /// the address of before is told.
    ///
    /// Throws `Refusal`, `AccountRepository.Conflict` and `AccountLifeRepository.LastSuperAdministrator`; nothing changes then.
    func apply(
        _ change: AccountChange, to id: Account.ID, in scope: DomainScope, by caller: AuthenticatedAccount
    ) async throws -> Account {
        let defaultRealm = self.services.configuration.accountRealm
        return try await self.services.database.withTransaction { transaction in
            let life = AccountLifeRepository(transaction)
            let accounts = AccountRepository(transaction, defaultRealm: defaultRealm)
            let profiles = AccountProfileRepository(transaction)
            if change.isActivated == false || change.isAdmin == false {
                try await life.keepASuperAdministrator(besides: id)
            }
            guard let current = try await profiles.lock(id, in: scope) else { throw Refusal.unknown }
            try self.check(change, against: current, by: caller)
            let profile = current.profile.changed(by: change)
            try await profiles.update(id, to: profile)
            try await Outbox(self.services).addNotice(
                to: current.profile.email, replacedBy: profile.email, of: id, in: nil, to: transaction)
            if let password = change.password {
                try await self.setPassword(password.clear, password.algorithm, of: current, in: transaction)
                try await accounts.revokeSecretsAfterPasswordChange(of: id, except: caller.credential.apiKey)
            }
            if let isAdmin = change.isAdmin, isAdmin != (current.adminScope != nil) {
                if isAdmin {
                    try await accounts.makeAdmin(id, scope: .domain, at: self.services.now())
                } else {
                    try await life.removeAdmin(id)
                }
            }
            if let isActivated = change.isActivated, isActivated != current.isActivated {
                if isActivated { try await accounts.activate(id) } else { try await life.deactivate(id) }
            }
            guard let changed = try await accounts.find(id, in: scope) else { throw Refusal.unknown }
            return changed
        }
    }

    private func check(
        _ change: AccountChange, against current: AccountProfileRepository.Locked, by caller: AuthenticatedAccount
    ) throws(Refusal) {
        if caller.adminScope != .super {
            if current.adminScope == .super { throw .isSuperAdministrator }
            if let isAdmin = change.isAdmin, isAdmin != (current.adminScope != nil) { throw .mayNotAppoint }
        }
        var renamed: [String] = []
        if let username = change.username, username.lowercased() != current.username.value {
            renamed.append("username")
        }
        if let domain = change.domain, domain.lowercased() != current.domain.name.value { renamed.append("domain") }
        if !renamed.isEmpty { throw .renames(renamed) }
    }

    private func setPassword(
        _ password: Secret<String>, _ algorithm: DigestAlgorithm, of current: AccountProfileRepository.Locked,
        in transaction: PGTransaction
    ) async throws {
        let configuration = self.services.configuration
        let hashes = PasswordHashes(
            of: password, username: current.username, domain: current.domain.name,
            realm: current.domain.effectiveRealm(default: configuration.accountRealm), algorithm: algorithm,
            both: configuration.passwordHashes == .both)
        try await AccountRepository(transaction, defaultRealm: configuration.accountRealm)
            .setPassword(hashes, of: current.id)
    }
}

extension AccountProfile {
    fileprivate func changed(by change: AccountChange) -> AccountProfile {
        AccountProfile(
            email: change.email.applied(to: self.email), phone: change.phone.applied(to: self.phone),
            displayName: change.displayName.applied(to: self.displayName),
            dtmfProtocol: change.dtmfProtocol.applied(to: self.dtmfProtocol))
    }
}
