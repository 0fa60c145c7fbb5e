import HTTPTypes
import Hummingbird

/// Counts the requests of public routes by the network that they come from.
struct RateLimitMiddleware: RouterMiddleware {
    private let services: Services

    init(_ services: Services) {
        self.services = services
    }

    func handle(
        _ request: Request, context: PublicContext,
        next: @concurrent (Request, PublicContext) async throws -> Response
    ) async throws -> Response {
        let allowance = try self.services.limiter.take(
            .requests, by: .network(context.client.network), at: self.services.now())
        guard let allowance else { return try await next(request, context) }
        do {
            return try await next(request, context).adding(allowance)
        } catch let error as APIError {
            throw error.adding(allowance)
        }
    }
}

extension Response {
    func adding(_ allowance: RateLimit.Allowance?) -> Response {
        guard let allowance else { return self }
        var response = self
        response.headers[.rateLimit] = String(allowance.limit)
        response.headers[.rateLimitRemaining] = String(allowance.remaining)
        return response
    }
}

extension APIError {
    func adding(_ allowance: RateLimit.Allowance?) -> APIError {
        guard let allowance else { return self }
        var headers = self.headers
        headers[.rateLimit] = String(allowance.limit)
        headers[.rateLimitRemaining] = String(allowance.remaining)
        return APIError(self.status, self.message, problems: self.problems, headers: headers)
    }
}

extension HTTPField.Name {
    fileprivate static let rateLimit = HTTPField.Name.constant("X-RateLimit-Limit")
    fileprivate static let rateLimitRemaining = HTTPField.Name.constant("X-RateLimit-Remaining")
}
