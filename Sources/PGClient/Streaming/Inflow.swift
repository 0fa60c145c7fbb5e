/// What the loop reads for one task – rows, COPY data, notifications – from its arrival until the task asks for it.
///
/// The loop stops reading the connection when more than `capacity` bytes wait here, and goes on when they were taken: a task that
/// is slower than the server slows the server down.
final class Inflow<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var size = 0
        var isHeldBack = false
        var outcome: Result<Void, any Error>?
        var waiter: CheckedContinuation<Bool, Never>?
        /// Something arrived that the waiter has not been told of.
        var hasNews = false
    }

    private let capacity: Int
    private let state = Locked(State())

    init(capacity: Int = 1 << 20) {
        self.capacity = capacity
    }

    // MARK: The loop's side

    /// Keeps an element of about `size` bytes. False when the loop should read no more until `take` says so.
    func append(_ element: Element, size: Int) -> Bool {
        self.state.withLock { state in
            guard state.outcome == nil else { return true }
            state.elements.append(element)
            state.size += size
            state.hasNews = true
            state.isHeldBack = state.size >= self.capacity
            return !state.isHeldBack
        }
    }

    /// Tells the waiting task of what was appended; once for all that arrived together.
    func deliver() {
        let waiter = self.state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard state.hasNews else { return nil }
            state.hasNews = false
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: true)
    }

    /// Nothing more comes. The first outcome counts.
    func finish(_ error: (any Error)?) {
        let waiter = self.state.withLock { state -> CheckedContinuation<Bool, Never>? in
            if state.outcome == nil { state.outcome = error.map { .failure($0) } ?? .success(()) }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: true)
    }

    // MARK: The task's side

    struct Batch {
        /// Empty at the end.
        var elements: [Element] = []
        /// The loop waits to be told to read on.
        var wasHeldBack = false
    }

    /// Ends the wait of a task that was cancelled, and nothing else.
    func wakeCancelled() {
        let waiter = self.state.withLock { state -> CheckedContinuation<Bool, Never>? in
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: true)
    }

    /// Everything that has arrived, waiting for the first of it, or for others that want the thread. Throws the error that ended it once
    /// all was taken. With `untilCancelled` a cancelled task waits no longer once `wakeCancelled` was called, and gets a `CancellationError`;
    /// otherwise it is told by whoever ends the stream.
    func take(untilCancelled: Bool = false) async throws -> Batch {
        // A server that keeps up would have a reader keep its thread until the end.
        if self.state.withLock({ !$0.elements.isEmpty }) { await Task.yield() }
        let isAlone = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
            let answer = self.state.withLock { state -> Bool? in
                guard state.waiter == nil else { return false }
                guard state.elements.isEmpty, state.outcome == nil, !(untilCancelled && Task.isCancelled) else {
                    return true
                }
                state.waiter = continuation
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
        guard isAlone else {
            throw PGError(.invalidState, message: "two tasks read the same stream at the same time")
        }
        return try self.state.withLock { state in
            guard !state.elements.isEmpty else {
                guard let outcome = state.outcome else { throw CancellationError() }
                try outcome.get()
                return Batch()
            }
            let batch = Batch(elements: state.elements, wasHeldBack: state.isHeldBack)
            state.elements = []
            state.size = 0
            state.isHeldBack = false
            state.hasNews = false
            return batch
        }
    }
}
