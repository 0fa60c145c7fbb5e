import DigestAuth
import FoundationEssentials

/// An account about to be made: every value is valid, but names and numbers may still be taken.
struct NewAccount: Sendable {
    let username: Username
    let password: Secret<String>
    let algorithm: DigestAlgorithm
    var email: EmailAddress? = nil
    var phone: PhoneNumber? = nil
    var displayName: String? = nil
    var dtmfProtocol: DTMFProtocol? = nil
    var isActivated = false
    /// Makes an administrator of this reach.
    var admin: AdminScope? = nil
    /// When the confirmation key of an account that is not activated stops working; `nil` is never.
    var confirmationKeyExpiresAt: Date? = nil
    /// Where the request came from.
    var ipAddress: String? = nil
    var userAgent: String? = nil
    /// That its owner asks for.
    var language: Language? = nil
}
