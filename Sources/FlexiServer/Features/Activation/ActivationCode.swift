import OpenSSLCrypto

/// What somebody sends to show that mail or short messages reach them.
enum ActivationCode: Sendable {
    /// 13 letters and digits, from a mail or from an administrator.
    case key(Secret<String>)
    /// From a short message.
    case pin(PIN)

    /// What the code activates by: rows of `activation_codes` have one each.
    enum Purpose: String, Sendable {
        case email
        case phone
    }

    init?(_ text: String) {
        if let pin = PIN(text) {
            self = .pin(pin)
        } else if text.utf8.count == 13,
            text.utf8.allSatisfy({
                switch $0 {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"):
                    true
                default: false
                }
            })
        {
            self = .key(Secret(text))
        } else {
            return nil
        }
    }

    var purpose: Purpose {
        switch self {
        case .key: .email
        case .pin: .phone
        }
    }

    /// As the database keeps the code of the account.
    func hash(of account: Account.ID, key: SecretKey) -> [UInt8] {
        switch self {
        case .key(let text): SHA256.hash(text.reveal())
        case .pin(let pin): pin.hash(for: .activation, of: account.rawValue, key: key)
        }
    }
}
