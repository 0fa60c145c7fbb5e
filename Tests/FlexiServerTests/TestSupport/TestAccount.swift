import DigestAuth
import Foundation
import OpenSSLCrypto
import PGClient
import Testing

@testable import FlexiServer

/// An account that a test has put into the database, and what it proves itself with.
struct TestAccount: Sendable {
    let id: Account.ID
    let username: String
    let domain: String
    let password: String

    var address: String { "\(self.username)@\(self.domain)" }
    var from: (String, String) { ("From", "sip:\(self.address)") }
}

extension TestServer {
    /// Puts an account into the database; the domain is registered where it is new.
    func account(
        _ username: String = "alice", domain: String = "sip.example.org", password: String = "secret!",
        algorithms: [DigestAlgorithm] = [.sha256], isActive: Bool = true, admin: AdminScope? = nil, realm: String? = nil
    ) async throws -> TestAccount {
        let name = try #require(DomainName(domain))
        let registered = try await DomainRepository(self.services.database).register(name)
        let id = try await self.services.database.query(
            """
            INSERT INTO flexi.accounts (domain_id, username, activated) VALUES (\(registered.id), \(username), \(isActive))
            RETURNING id
            """
        )[0].decode("id", as: Account.ID.self)
        let realm = realm ?? registered.effectiveRealm(default: self.services.configuration.accountRealm)
        for algorithm in algorithms {
            let ha1 = HA1.compute(algorithm, username: username, realm: realm, password: password)
            try await self.services.database.execute(
                """
                INSERT INTO flexi.passwords (account_id, algorithm, realm, ha1)
                VALUES (\(id), \(algorithm.rawValue), \(realm), \(ha1))
                """
            )
        }
        if let admin {
            try await self.services.database.execute(
                "INSERT INTO flexi.admins (account_id, scope) VALUES (\(id), \(admin.rawValue))")
        }
        return TestAccount(id: id, username: username, domain: domain, password: password)
    }

    /// A new API key of the account: the unnamed one, unless it has a name.
    func apiKey(of account: TestAccount, name: String? = nil, expiresAt: Date? = nil) async throws -> String {
        let key = SecureRandom.token(length: 40)
        try await self.services.database.execute(
            """
            INSERT INTO flexi.api_keys (account_id, name, key_hash, created_at, last_used_at, expires_at)
            VALUES (\(account.id), \(name), \(SHA256.hash(key)), \(self.clock.now), \(self.clock.now), \(expiresAt))
            """
        )
        return key
    }
}
