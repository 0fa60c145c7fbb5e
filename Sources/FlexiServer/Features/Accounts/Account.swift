import DigestAuth
import FoundationEssentials

/// A SIP account as administrators and its owner see it; no hash of its password is ever part of it.
struct Account: Sendable {
    struct ID: Hashable, Sendable, RawRepresentable {
        let rawValue: Int64
    }

    struct Admin: Sendable {
        let scope: AdminScope
        let createdAt: Date
        let updatedAt: Date
    }

    struct EmailChange: Sendable {
        let newEmail: String
        let createdAt: Date
    }

    /// A confirmation key that stops working at `expiresAt`.
    struct ActivationExpiration: Sendable {
        let id: Int64
        let expiresAt: Date
        let createdAt: Date
    }

    struct TypeReference: Sendable {
        let id: Int64
        let key: String
    }

    struct Action: Sendable {
        let id: Int64
        let key: String
        let code: String
    }

    /// The two secrets that an administrator may read again, to hand them on.
    struct Secrets: Sendable {
        var confirmationKey: Secret<String>?
        var provisioningToken: Secret<String>?
    }

    let id: ID
    let username: String
    let domain: DomainName
    let email: String?
    let isActivated: Bool
    let ipAddress: String?
    let userAgent: String?
    let createdAt: Date
    let displayName: String?
    let dtmfProtocol: DTMFProtocol?
    /// The realm set for the domain or the server; `nil` where the domain's own name serves.
    let realm: String?
    let phone: String?
    let algorithms: [String]
    let admin: Admin?
    let emailChange: EmailChange?
    let activationExpiration: ActivationExpiration?
    let types: [TypeReference]
    /// Empty while no DTMF protocol is set, whatever is stored.
    let actions: [Action]
}

/// How far an administrator's power reaches.
enum AdminScope: String, Sendable {
    /// The domain of the administrator's own account.
    case domain
    /// Every domain.
    case `super`
}
