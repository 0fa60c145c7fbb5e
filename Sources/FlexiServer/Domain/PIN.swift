import OpenSSLCrypto

/// Four digits that somebody types from a short message. So few that only an HMAC keeps them from whoever reads the
/// database, and only a count of wrong tries from whoever guesses.
struct PIN: Sendable {
    /// What the digits are good for; those sent for one purpose are wrong for every other.
    enum Purpose: String, Sendable {
        case activation
        case phoneChange = "phone change"
    }

    /// Wrong tries after which a PIN is void.
    static let tries = 5
    /// In seconds.
    static let lifetime: Double = 10 * 60

    let digits: Secret<String>

    init?(_ text: String) {
        guard text.utf8.count == 4, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        self.digits = Secret(text)
    }

    /// HMAC-SHA-256 over the digits, the purpose and the account's id.
    func hash(for purpose: Purpose, of account: Int64, key: SecretKey) -> [UInt8] {
        HMACSHA256.authenticate(Array("\(purpose.rawValue):\(account):\(self.digits.reveal())".utf8), key: key)
    }
}
