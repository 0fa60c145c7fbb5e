import DigestAuth
import HTTPTypes
import Hummingbird

/// An answer that is not the one hoped for; the only error that becomes a response on purpose.
///
/// The body is `{"message": "…"}`, with `"errors": {"field": ["…"]}` on 422. Messages are read by strangers: no SQL,
/// no type names, no paths.
struct APIError: Error, HTTPResponseError {
    /// What is wrong with one field of a request.
    struct Problem: Hashable, Sendable {
        let field: String
        var messages: [String]
    }

    let status: HTTPResponse.Status
    let message: String
    let problems: [Problem]
    let headers: HTTPFields

    init(
        _ status: HTTPResponse.Status, _ message: String, problems: [Problem] = [], headers: HTTPFields = [:]
    ) {
        self.status = status
        self.message = message
        self.problems = problems
        self.headers = headers
    }

    func response(from _: Request, context _: some RequestContext) -> Response {
        var response = Response.json(status: self.status) { json in
            json.object { json in
                json.member("message", self.message)
                if self.status == .unprocessableContent { self.writeProblems(to: &json) }
            }
        }
        // A 404 could be kept otherwise, and tomorrow the account is there.
        response.headers[.cacheControl] = "no-store"
        response.headers.append(contentsOf: self.headers)
        return response
    }

    private func writeProblems(to json: inout JSONWriter) {
        json.member("errors") { json in
            json.object { json in
                for problem in self.problems {
                    json.member(named: problem.field) { json in
                        json.array(problem.messages) { json, message in json.value(message) }
                    }
                }
            }
        }
    }
}

extension APIError {
    /// 422: these fields break a rule.
    static func invalid(_ problems: [Problem]) -> APIError {
        APIError(.unprocessableContent, "The request is not valid.", problems: problems)
    }

    static func invalid(_ field: String, _ message: String) -> APIError {
        self.invalid([Problem(field: field, messages: [message])])
    }

    /// 422: the body is no JSON object.
    static func malformedBody(_ reason: String) -> APIError {
        APIError(.unprocessableContent, reason)
    }

    /// 401. The challenges are sent in the order given, one header each: deployed clients take the first that they
    /// understand.
    static func unauthenticated(_ message: String, _ challenges: [DigestChallenge]) -> APIError {
        APIError(
            .unauthorized, message,
            headers: HTTPFields(challenges.map { HTTPField(name: .wwwAuthenticate, value: $0.headerValue) }))
    }

    static func forbidden(_ message: String) -> APIError {
        APIError(.forbidden, message)
    }

    static let expiredCode = APIError.forbidden("The code has expired.")

    /// The same answer for what does not exist and what the caller may not see.
    static func notFound(_ message: String = "Not found.") -> APIError {
        APIError(.notFound, message)
    }

    static func methodNotAllowed(_ allowed: [HTTPRequest.Method]) -> APIError {
        APIError(
            .methodNotAllowed, "This address does not know the method.",
            headers: [.allow: allowed.map(\.rawValue).joined(separator: ", ")])
    }

    static func tooLarge(maximumBytes: Int) -> APIError {
        APIError(.contentTooLarge, "The body is larger than \(maximumBytes) bytes.")
    }

    static let unsupportedMediaType = APIError(.unsupportedMediaType, "The body must be JSON.")

    static func tooManyRequests(retryAfter seconds: Int) -> APIError {
        APIError(.tooManyRequests, "Too many requests; try again later.", headers: [.retryAfter: String(seconds)])
    }

    /// 503: something outside of this server is missing, not configured, or failed.
    static func unavailable(_ message: String) -> APIError {
        APIError(.serviceUnavailable, message)
    }

    /// 500: a defect; the log has the rest.
    static let defect = APIError(.internalServerError, "Something went wrong on the server.")
}
