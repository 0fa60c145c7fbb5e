import DigestAuth

/// What an administrator wants an account to be from now on.
struct AccountChange: Sendable {
    /// What becomes of a field that may be empty.
    enum Field<Value: Sendable>: Sendable {
        case keep
        /// `nil` clears it.
        case set(Value?)

        func applied(to current: Value?) -> Value? {
            switch self {
            case .keep: current
            case .set(let value): value
            }
        }
    }

    /// The name that the account is said to have; it can only be the one it has.
    let username: String?
    let domain: String?
    let password: (clear: Secret<String>, algorithm: DigestAlgorithm)?
    let email: Field<EmailAddress>
    let phone: Field<PhoneNumber>
    let displayName: Field<String>
    let dtmfProtocol: Field<DTMFProtocol>
    /// `nil` stays as it is.
    let isActivated: Bool?
    /// Whether the account administers its domain; `nil` stays as it is.
    let isAdmin: Bool?
}
