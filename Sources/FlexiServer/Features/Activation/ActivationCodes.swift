import FoundationEssentials
import OpenSSLCrypto
import PGClient

/// Sends a new account the codes that activate it: a key by mail, a PIN in a short message.
struct ActivationCodes: Sendable {
    let services: Services

    /// Stores codes and messages, in the language that the account was made with, in `transaction`; none for one that is active already.
    ///
    /// - Throws: `APIError` 429 when too many messages were asked for; the transaction is to be given up.
    func send(
        to new: NewAccount, id: Account.ID, asking client: ClientAddress, at now: Date, with transaction: PGTransaction
    ) async throws {
        guard !new.isActivated else { return }
        let accounts = AccountRepository(transaction, defaultRealm: self.services.configuration.accountRealm)
        let outbox = Outbox(self.services)
        if let email = new.email {
            try self.count(.mail, to: email.value.lowercased(), asking: client, at: now)
            let key = Secret(self.services.random.token(13))
            try await accounts.setActivationCode(
                .email, hash: SHA256.hash(key.reveal()),
                sealed: SealedColumn.confirmationKey.seal(key, row: id.rawValue, with: self.services.keys.seal),
                expiresAt: nil, of: id, at: now)
            try await outbox.add(
                .activation(code: key), to: email, of: id, in: nil, key: "activation mail \(id.rawValue)",
                to: transaction)
        }
        if let phone = new.phone {
            try self.count(.sms, to: phone.value, asking: client, at: now)
            let pin = self.services.random.pin()
            let expiresAt = now.addingTimeInterval(PIN.lifetime)
            try await accounts.setActivationCode(
                .phone, hash: pin.hash(for: .activation, of: id.rawValue, key: self.services.keys.code), sealed: nil,
                expiresAt: expiresAt, of: id, at: now)
            try await outbox.add(
                pin, to: phone, of: id, asking: client, in: nil, key: "activation message \(id.rawValue)",
                validUntil: expiresAt, to: transaction)
        }
    }

    private func count(
        _ limit: RateLimit, to recipient: String, asking client: ClientAddress, at now: Date
    ) throws(APIError) {
        try self.services.limiter.take(limit, by: .network(client.network), at: now)
        try self.services.limiter.take(limit, by: .recipient(recipient), at: now)
    }
}
