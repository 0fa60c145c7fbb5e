/// Whom a request comes from, and how that was proved.
struct AuthenticatedAccount: Sendable {
    enum Credential: Hashable, Sendable {
        case apiKey(APIKeyRecord.ID)
        /// The same key, sent by a browser on its own.
        case cookie(APIKeyRecord.ID)
        case digest

        var isCookie: Bool {
            if case .cookie = self { true } else { false }
        }

        /// The key that must outlive a password change made with it.
        var apiKey: APIKeyRecord.ID? {
            switch self {
            case .apiKey(let id), .cookie(let id): id
            case .digest: nil
            }
        }
    }

    let id: Account.ID
    let username: String
    let domainID: RegisteredDomain.ID
    let domain: DomainName
    let adminScope: AdminScope?
    /// Where the account may act as an administrator; `nil` where it may not.
    let administeredDomains: DomainScope?
    let credential: Credential

    init(_ identity: AccountIdentity, by credential: Credential, configuration: ServerConfiguration) {
        self.id = identity.id
        self.username = identity.username
        self.domainID = identity.domainID
        self.domain = identity.domain
        self.adminScope = identity.adminScope
        self.administeredDomains = Self.administeredDomains(of: identity, configuration)
        self.credential = credential
    }

    var address: SIPAddress {
        SIPAddress(storedUsername: self.username, domain: self.domain)
    }

    /// With one domain, administrators act in it alone, and those of another domain nowhere. With many, super
    /// administrators act in all of them and the others in their own.
    private static func administeredDomains(
        of identity: AccountIdentity, _ configuration: ServerConfiguration
    ) -> DomainScope? {
        switch (identity.adminScope, configuration.managesManyDomains) {
        case (nil, _): nil
        case (.super?, true): .all
        case (.domain?, true): .only(identity.domain)
        case (.super?, false): .only(configuration.sipDomain)
        case (.domain?, false): identity.domain == configuration.sipDomain ? .only(identity.domain) : nil
        }
    }
}

/// What the database says of an account that somebody claims to be.
struct AccountIdentity: Sendable {
    let id: Account.ID
    let username: String
    let domainID: RegisteredDomain.ID
    let domain: DomainName
    let adminScope: AdminScope?
    /// Activated, in a domain that is not suspended.
    let isActive: Bool
}
