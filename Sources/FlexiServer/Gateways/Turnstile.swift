import DequeModule
import Synchronization

/// Lets a few pass at a time, the others in the order in which they came, and turns away whoever would make the queue
/// too long.
final class Turnstile: Sendable {
    /// As many wait already as may.
    struct QueueFull: Error {}

    private typealias Waiter = CheckedContinuation<Void, any Error>

    private struct State {
        var free: Int
        var nextTicket = 0
        var waiting: Deque<(ticket: Int, waiter: Waiter)> = []

        mutating func ticket() -> Int {
            defer { self.nextTicket += 1 }
            return self.nextTicket
        }

        mutating func withdraw(_ ticket: Int) -> Waiter? {
            guard let index = self.waiting.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            return self.waiting.remove(at: index).waiter
        }
    }

    private let queueLimit: Int
    private let state: Mutex<State>

    init(width: Int, queueLimit: Int) {
        self.queueLimit = queueLimit
        self.state = Mutex(State(free: width))
    }

    /// How many may pass right now.
    var free: Int { self.state.withLock { $0.free } }
    var waiting: Int { self.state.withLock { $0.waiting.count } }

    /// Runs `body` as soon as it is this caller's turn.
    ///
    /// Throws `QueueFull` at once, `CancellationError` when the task is cancelled while it waits, and what `body`
    /// throws.
    func pass<Result>(_ body: () async throws -> Result) async throws -> Result {
        try await self.enter()
        defer { self.leave() }
        return try await body()
    }

    private func enter() async throws {
        let ticket = self.state.withLock { $0.ticket() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (waiter: Waiter) in
                let outcome: Result<Void, any Error>? = self.state.withLock { state in
                    // Cancelled before it queued: the handler below has found nobody.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.free > 0 {
                        state.free -= 1
                        return .success(())
                    }
                    if state.waiting.count >= self.queueLimit { return .failure(QueueFull()) }
                    state.waiting.append((ticket, waiter))
                    return nil
                }
                if let outcome { waiter.resume(with: outcome) }
            }
        } onCancel: {
            self.state.withLock { $0.withdraw(ticket) }?.resume(throwing: CancellationError())
        }
    }

    /// Hands the place to whoever waits longest.
    private func leave() {
        let next: Waiter? = self.state.withLock { state in
            if let first = state.waiting.popFirst() { return first.waiter }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}
