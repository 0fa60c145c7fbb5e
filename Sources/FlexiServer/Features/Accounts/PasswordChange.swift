import DigestAuth
import OpenSSLCrypto
import PGClient

/// Changes the password of an account by its owner, in one transaction.
struct PasswordChange: Sendable {
    enum Refusal: Error {
        case oldPasswordMissing
        case oldPasswordWrong
    }

    let services: Services

    /// Replaces every hash, and revokes what the old password could have opened: auth tokens, provisioning token, and the
    /// account's own API key, except the one that authenticated this change. It never activates.
    ///
    /// Throws `Refusal` when there is a password and `old` is none or another; nothing changes then.
    func change(
        _ account: AuthenticatedAccount, from old: Secret<String>?, to new: Secret<String>, algorithm: DigestAlgorithm
    ) async throws {
        guard let username = Username(account.username) else { throw MalformedRow(column: "username") }
        let configuration = self.services.configuration
        try await self.services.database.withTransaction { transaction in
            let accounts = AccountRepository(transaction, defaultRealm: configuration.accountRealm)
            guard let domain = try await DomainRepository(transaction).find(account.domain) else {
                throw DomainRemoved(name: account.domain)
            }
            let hashes = try await accounts.lockPasswords(of: account.id)
            if !hashes.isEmpty {
                guard let old else { throw Refusal.oldPasswordMissing }
                let isRight = hashes.contains { hash in
                    let ha1 = HA1.compute(
                        hash.algorithm, username: username.value, realm: hash.realm, password: old.reveal())
                    return ConstantTime.equal(ha1, hash.ha1)
                }
                guard isRight else { throw Refusal.oldPasswordWrong }
            }
            try await accounts.setPassword(
                PasswordHashes(
                    of: new, username: username, domain: domain.name,
                    realm: domain.effectiveRealm(default: configuration.accountRealm), algorithm: algorithm,
                    both: configuration.passwordHashes == .both),
                of: account.id)
            try await accounts.revokeSecretsAfterPasswordChange(of: account.id, except: account.credential.apiKey)
        }
    }
}
