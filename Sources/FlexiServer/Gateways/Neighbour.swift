/// Something beside this server that it asks to do its part.
enum Neighbour: String, Sendable {
    case pusher
    case messenger
    case registrar

    /// What a caller is told when the neighbour did not do its part.
    var failureMessage: String {
        switch self {
        case .pusher: "The push notification could not be sent; try again later."
        case .messenger: "The message could not be sent; try again later."
        case .registrar: "The SIP registrar does not answer; try again later."
        }
    }

    /// What a caller is told when no such neighbour is configured.
    var absenceMessage: String {
        switch self {
        case .pusher: "This server cannot send push notifications."
        case .messenger: "This server cannot send SIP messages."
        case .registrar: "This server is not connected to a SIP registrar."
        }
    }
}

extension Neighbour {
    /// Runs `body`, which asks the neighbour, for at most `limit`.
    ///
    /// Throws `GatewayFailure` for whatever goes wrong in `body` or when time runs out, and `CancellationError` when
    /// the calling task was cancelled. `body` is cancelled in both cases and has ended when this throws.
    func ask<Answer: Sendable>(
        within limit: Duration, _ body: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        do {
            return try await withDeadline(limit, body)
        } catch let failure as GatewayFailure {
            throw failure
        } catch is DeadlineExceeded {
            throw GatewayFailure(self, "no answer within \(limit)")
        } catch {
            try Task.checkCancellation()
            throw GatewayFailure(self, String(reflecting: error))
        }
    }
}

private struct DeadlineExceeded: Error {}

/// Runs `body` for at most `limit`, then cancels it and throws `DeadlineExceeded` once it has ended.
private func withDeadline<Result: Sendable>(
    _ limit: Duration, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        defer { group.cancelAll() }
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw DeadlineExceeded()
        }
        for try await result in group { return result }
        throw CancellationError()
    }
}

extension APIError {
    /// 503: no such neighbour is configured.
    static func unavailable(_ neighbour: Neighbour) -> APIError {
        .unavailable(neighbour.absenceMessage)
    }
}
