import HTTPTypes
import Hummingbird
import Logging
import PGClient
import Synchronization

/// What stands around the router: the request's id, the size limit, answers for what the router has no route for, and
/// one log line.
struct ServerResponder: HTTPResponder {
    private let router: RouterResponder<PublicContext>
    private let routes: RouteIndex
    private let maximumBodyBytes: Int
    private let trustedProxies: [NetworkRange]
    private let services: Services
    private let hasWarnedOfProxy = Flag()

    init(_ router: Router<PublicContext>, services: Services) {
        self.routes = RouteIndex(router)
        self.router = router.buildResponder()
        self.services = services
        self.maximumBodyBytes = services.configuration.maximumBodyBytes
        self.trustedProxies = services.configuration.trustedProxies
    }

    /// Never throws: whatever went wrong is an answer, and where nobody meant it to, a line in the log.
    func respond(to request: Request, context: PublicContext) async -> Response {
        let start = ContinuousClock.now
        var context = context
        context.maxUploadSize = self.maximumBodyBytes
        if let id = request.headers[.requestID], Self.isRequestID(id) {
            context.logger[metadataKey: LogLine.requestIDKey] = "\(id)"
        }
        if let forwardedFor = request.headers[.forwardedFor] {
            let isIgnored = context.client.forward(forwardedFor, trusting: self.trustedProxies)
            if isIgnored, self.hasWarnedOfProxy.raise() {
                context.logger.warning(
                    "X-Forwarded-For is ignored: TRUSTED_PROXIES does not name who sent it",
                    metadata: ["client.address": .string(context.client.text ?? "local")])
            }
        }
        var response: Response
        do {
            response = try await self.answer(request, context)
        } catch {
            response = self.failure(error, context).response(from: request, context: context)
        }
        let id = context.id
        response.headers[.requestID] = id
        context.logger.info(
            "request answered",
            metadata: [
                "http.method": .string(request.method.rawValue),
                "http.path": .string(self.routes.loggable(request.uri.path, template: context.servedTemplate)),
                "http.status": .stringConvertible(response.status.code),
                "duration_us": .stringConvertible((ContinuousClock.now - start).microseconds),
            ])
        return response
    }

    private func answer(_ request: Request, _ context: PublicContext) async throws -> Response {
        if let length = request.headers[.contentLength].flatMap(Int.init), length > self.maximumBodyBytes {
            throw APIError.tooLarge(maximumBytes: self.maximumBodyBytes)
        }
        let response = try await self.router.respond(to: request, context: context)
        guard response.status == .notFound, context.servedTemplate == nil else { return response }
        let allowance = try self.services.limiter.take(
            .requests, by: .network(context.client.network), at: self.services.now())
        guard let methods = self.routes.methods(of: request.uri.path) else {
            throw APIError.notFound().adding(allowance)
        }
        throw APIError.methodNotAllowed(methods).adding(allowance)
    }

    private func failure(_ error: any Error, _ context: PublicContext) -> APIError {
        switch error {
        case let error as APIError: return error
        case let error as PGError where error.isOutage:
            context.logger.error("database not available", metadata: ["error": "\(String(reflecting: error))"])
            return .unavailable("The service is not available at the moment.")
        case let error as PGError where error.tellsOfRemoval:
            return .notFound()
        case let failure as GatewayFailure:
            context.logger.error(
                "neighbour failed",
                metadata: [
                    "neighbour": .string(failure.neighbour.rawValue), "error": .string(failure.reason),
                ])
            return .unavailable(failure.neighbour.failureMessage)
        case is CancellationError:
            return .unavailable("The request was given up.")
        default:
            context.logger.error("unexpected error", metadata: ["error": "\(String(reflecting: error))"])
            return .defect
        }
    }

    /// What a proxy may pass on for its own log: short, and harmless in ours.
    private static func isRequestID(_ id: String) -> Bool {
        (1...64).contains(id.utf8.count)
            && id.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: "-_.".utf8.contains(byte)
                }
            }
    }
}

/// Is raised once, by one of all who try.
private final class Flag: Sendable {
    private let isRaised = Mutex(false)

    func raise() -> Bool {
        self.isRaised.withLock { isRaised in
            defer { isRaised = true }
            return !isRaised
        }
    }
}

extension PublicContext {
    /// The route that the router found, such as `/api/accounts/{account}`; `nil` when there was none.
    fileprivate var servedTemplate: String? {
        self.endpointPath.flatMap { $0 == "NotFound" ? nil : $0 }
    }
}

extension Duration {
    fileprivate var microseconds: Int {
        Int(self.components.seconds * 1_000_000 + self.components.attoseconds / 1_000_000_000_000)
    }
}
