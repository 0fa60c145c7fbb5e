/// What anybody may know of an account.
struct AccountInfo: Sendable {
    let isActivated: Bool
    let realm: String?
}
