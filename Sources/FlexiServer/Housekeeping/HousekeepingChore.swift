import FoundationEssentials

/// Rows that have served their time.
enum HousekeepingChore: String, CaseIterable, Sendable {
    case authTokens = "auth tokens"
    case unnamedKeys = "unused API keys"
    case namedKeys = "expired API keys"
    case creationTokens = "unused creation tokens"
    case activationCodes = "activation codes"
    case emailChanges = "changes of address"
    case phoneChanges = "changes of number"
    case nonces = "nonce counters"
    case tombstones = "names of deleted accounts"
    case unconfirmedAccounts = "unconfirmed accounts"

    /// Rows that ended, or began where they have no end of their own, before this time are deleted; `nil` when none ever is.
    func limit(at now: Date, by rules: ServerConfiguration) -> Date? {
        func before(days: Int) -> Date? { days == 0 ? nil : now.addingTimeInterval(-86_400 * Double(days)) }
        return switch self {
        case .authTokens, .namedKeys, .nonces: now
        case .unnamedKeys:
            rules.apiKeyIdleExpiry.map { now.addingTimeInterval(-Double($0.components.seconds)) }
        case .creationTokens: before(days: rules.creationTokenDays)
        case .activationCodes, .emailChanges, .phoneChanges:
            now.addingTimeInterval(-86_400 * Double(rules.expiredCodeDays))
        case .tombstones: before(days: rules.tombstoneDays)
        case .unconfirmedAccounts: before(days: rules.unconfirmedAccountDays)
        }
    }
}
