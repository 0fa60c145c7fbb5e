import OpenSSLCrypto

/// A column of secrets that are shown again later, sealed with AES-256-GCM. A sealed value opens only in the column and the row it was made
/// for.
enum SealedColumn: String, Sendable {
    case confirmationKey = "activation_codes.sealed_code"
    case outboxPayload = "outbox.sealed_payload"
    case provisioningToken = "provisioning_tokens.sealed_token"

    /// Seals with the current key; `row` is the id of the account that the row belongs to.
    func seal(_ secret: Secret<String>, row: Int64, with keys: SealingKeyRing) -> [UInt8] {
        self.seal(Array(secret.reveal().utf8), row: String(row), with: keys)
    }

    /// Opens what `seal` made with the current key or one before it.
    func open(_ sealed: [UInt8], row: Int64, with keys: SealingKeyRing) throws(CryptoError) -> Secret<String> {
        try Secret(String(decoding: self.open(sealed, row: String(row), with: keys), as: UTF8.self))
    }

    /// The same for bytes, and for rows that have another name than an account's id.
    func seal(_ bytes: [UInt8], row: String, with keys: SealingKeyRing) -> [UInt8] {
        keys.seal(bytes, additionalData: self.additionalData(row))
    }

    func open(_ sealed: [UInt8], row: String, with keys: SealingKeyRing) throws(CryptoError) -> [UInt8] {
        try keys.open(sealed, additionalData: self.additionalData(row))
    }

    private func additionalData(_ row: String) -> [UInt8] {
        Array("\(self.rawValue):\(row)".utf8)
    }
}
