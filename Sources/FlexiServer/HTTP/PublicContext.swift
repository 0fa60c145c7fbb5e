import HTTPTypes
import Hummingbird
import NIOCore

/// A request of which nobody has proved yet who sent it.
struct PublicContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Set by the server before the router sees the request.
    var maxUploadSize = 64 * 1024
    var client: ClientAddress
    /// Set by `AccountAuthenticator`, and read by the contexts that need an account.
    var identity: AuthenticatedAccount?

    init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.client = ClientAddress(peer: source.channel.remoteAddress)
    }
}
