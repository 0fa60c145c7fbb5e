import HTTPTypes
import Hummingbird

/// Where routes of one kind of access are added. Paths are relative to the group; at one position of the path every
/// route captures under the same name (`{account}`), which the router insists on.
struct RouteGroup<Context: RequestContext> {
    typealias Handler<Answer> = @Sendable (Request, Context) async throws -> Answer

    private let routes: RouterGroup<Context>

    init(_ routes: RouterGroup<Context>) {
        self.routes = routes
    }

    /// A GET that changes nothing. HEAD comes with it, unless `answersHead` is false: it runs the handler and drops
    /// the body.
    func get(
        _ path: RouterPath, answersHead: Bool = true, use handler: @escaping Handler<some ResponseGenerator>
    ) {
        self.routes.on(path, method: .get, use: handler)
        if answersHead {
            self.routes.on(path, method: .head) { request, context in
                try await handler(request, context).response(from: request, context: context).createHeadResponse()
            }
        }
    }

    func post(_ path: RouterPath, use handler: @escaping Handler<some ResponseGenerator>) {
        self.routes.on(path, method: .post, use: handler)
    }

    func put(_ path: RouterPath, use handler: @escaping Handler<some ResponseGenerator>) {
        self.routes.on(path, method: .put, use: handler)
    }

    func patch(_ path: RouterPath, use handler: @escaping Handler<some ResponseGenerator>) {
        self.routes.on(path, method: .patch, use: handler)
    }

    func delete(_ path: RouterPath, use handler: @escaping Handler<some ResponseGenerator>) {
        self.routes.on(path, method: .delete, use: handler)
    }

    func head(_ path: RouterPath, use handler: @escaping Handler<some ResponseGenerator>) {
        self.routes.on(path, method: .head, use: handler)
    }
}

extension RouteGroup where Context == PublicContext {
    /// What deployed clients change by GET, and everybody else by POST.
    func change(_ path: RouterPath, use handler: @escaping Handler<some ResponseGenerator>) {
        self.get(path, answersHead: false, use: handler)
        self.post(path, use: handler)
    }
}

extension RouteGroup where Context: AuthenticatedContext {
    /// What deployed clients change by GET, and everybody else by POST. A GET that another site made a browser send
    /// does not get through on the strength of a cookie.
    func change(_ path: RouterPath, use handler: @escaping Handler<some ResponseGenerator>) {
        self.get(path, answersHead: false) { request, context in
            if context.account.credential.isCookie, let site = request.headers[.secFetchSite], site != "same-origin",
                site != "none"
            {
                throw APIError.forbidden("A request from another site cannot change anything.")
            }
            return try await handler(request, context)
        }
        self.post(path, use: handler)
    }
}

extension HTTPField.Name {
    static let secFetchSite = HTTPField.Name.constant("Sec-Fetch-Site")
    static let requestID = HTTPField.Name.constant("X-Request-Id")
    static let apiKey = HTTPField.Name.constant("x-api-key")
    static let referrerPolicy = HTTPField.Name.constant("Referrer-Policy")
    static let forwardedFor = HTTPField.Name.constant("X-Forwarded-For")

    static func constant(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("not the name of a header field: \(name)") }
        return name
    }
}
