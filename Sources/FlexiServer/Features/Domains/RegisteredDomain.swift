/// A SIP domain that this deployment serves.
struct RegisteredDomain: Sendable {
    struct ID: Hashable, Sendable, RawRepresentable {
        let rawValue: Int64
    }

    let id: ID
    let name: DomainName
    /// The domain's own digest realm, if it has one.
    let realm: String?
    let isRegistrationOpen: Bool
    let isSuspended: Bool

    /// The realm that password hashes of this domain are made with.
    func effectiveRealm(default realm: String?) -> String {
        self.realm ?? realm ?? self.name.value
    }
}
