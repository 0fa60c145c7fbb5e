import Hummingbird

/// A request of an administrator, with the domains in which they may act.
struct AdminContext: ChildRequestContext, AuthenticatedContext {
    var coreContext: CoreRequestContextStorage
    let maxUploadSize: Int
    let client: ClientAddress
    let account: AuthenticatedAccount
    let scope: DomainScope

    /// - Throws: 403 for everybody else, also for the administrator of a domain that is not served here.
    init(context: AccountContext) throws {
        guard let scope = context.account.administeredDomains else {
            throw APIError.forbidden("Only administrators may do this.")
        }
        self.coreContext = context.coreContext
        self.maxUploadSize = context.maxUploadSize
        self.client = context.client
        self.account = context.account
        self.scope = scope
    }
}
