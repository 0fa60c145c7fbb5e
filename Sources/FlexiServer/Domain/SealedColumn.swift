import OpenSSLCrypto

/// A column of secrets that are shown again later, sealed with AES-256-GCM. A sealed value opens only in the column and the row it was made
/// for.
enum SealedColumn: String, Sendable {
    case confirmationKey = "activation_codes.sealed_code"
    case provisioningToken = "provisioning_tokens.sealed_token"

    /// Seals with the current key; `row` is the id of the account that the row belongs to.
    func seal(_ secret: Secret<String>, row: Int64, with keys: SealingKeyRing) -> [UInt8] {
        keys.seal(Array(secret.reveal().utf8), additionalData: self.additionalData(row))
    }

    /// Opens what `seal` made with the current key or one before it.
    func open(_ sealed: [UInt8], row: Int64, with keys: SealingKeyRing) throws(CryptoError) -> Secret<String> {
        try Secret(String(decoding: keys.open(sealed, additionalData: self.additionalData(row)), as: UTF8.self))
    }

    private func additionalData(_ row: Int64) -> [UInt8] {
        Array("\(self.rawValue):\(row)".utf8)
    }
}
