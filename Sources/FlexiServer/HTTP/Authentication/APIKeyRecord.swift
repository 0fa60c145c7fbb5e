import FoundationEssentials

/// An API key as the database keeps it, with the account it belongs to.
struct APIKeyRecord: Sendable {
    struct ID: Hashable, Sendable, RawRepresentable {
        let rawValue: Int64
    }

    let id: ID
    /// Named keys are made for services; the unnamed one belongs to the account itself.
    let isNamed: Bool
    let lastUsedAt: Date
    /// Named keys only; `nil` never expires.
    let expiresAt: Date?
    let owner: AccountIdentity

    /// `idleExpiry` is how long the unnamed key lives without being used; `nil` is for ever.
    func isValid(at now: Date, idleExpiry: Duration?) -> Bool {
        if self.isNamed { return self.expiresAt.map { now < $0 } ?? true }
        guard let idleExpiry else { return true }
        return now < self.lastUsedAt.addingTimeInterval(Double(idleExpiry.components.seconds))
    }

    /// Every use counts, but only one a minute is written down.
    func isUseWorthWriting(at now: Date) -> Bool {
        now >= self.lastUsedAt.addingTimeInterval(60)
    }
}
