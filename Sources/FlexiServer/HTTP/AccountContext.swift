import Hummingbird
import Logging

/// A context that an account stands behind.
protocol AuthenticatedContext: RequestContext {
    var account: AuthenticatedAccount { get }
}

/// A request of an active account that has proved who it is. A handler that takes one cannot run otherwise.
struct AccountContext: ChildRequestContext, AuthenticatedContext {
    var coreContext: CoreRequestContextStorage
    let maxUploadSize: Int
    let client: ClientAddress
    let account: AuthenticatedAccount

    /// The account at the caller's network, whose wrong tries are counted.
    var claim: RateLimit.Subject {
        .claim(username: self.account.username, domain: self.account.domain, self.client.network)
    }

    /// - Throws: 401 where no `AccountAuthenticator` stands before the route.
    init(context: PublicContext) throws {
        guard let account = context.identity else { throw APIError.unauthenticated("Unauthenticated request", []) }
        self.coreContext = context.coreContext
        self.maxUploadSize = context.maxUploadSize
        self.client = context.client
        self.account = account
        self.logger[metadataKey: "account.id"] = "\(account.id.rawValue)"
    }
}
