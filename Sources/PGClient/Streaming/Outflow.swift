import DequeModule

/// The data of a COPY on its way from a task to the server, through the loop.
final class Outflow: Sendable {
    enum End: Sendable {
        case done
        /// The server is asked to undo the COPY, with this as the reason.
        case failed(String)
    }

    enum Next {
        case chunk([UInt8])
        case end(End)
        /// The loop will be told when there is more.
        case nothing
    }

    private struct State {
        var chunks: Deque<[UInt8]> = []
        var size = 0
        var end: End?
        /// The format that the server wants, from the moment that it takes data.
        var isBinary: Bool?
        /// The loop has taken all and waits to be told of more.
        var isDry = true
        var outcome: Result<Void, any Error>?
        var waiter: CheckedContinuation<Void, Never>?
    }

    /// So many bytes wait here at most, one chunk apart.
    private static let capacity = 1 << 20

    private let state = Locked(State())

    // MARK: The loop's side

    func start(isBinary: Bool) {
        self.wake { $0.isBinary = isBinary }
    }

    func next() -> Next {
        var next = Next.nothing
        self.wake { state in
            if let chunk = state.chunks.popFirst() {
                state.size -= chunk.count
                next = .chunk(chunk)
            } else if let end = state.end {
                next = .end(end)
            } else {
                state.isDry = true
            }
        }
        return next
    }

    func finish(_ error: (any Error)?) {
        self.wake { state in
            if state.outcome == nil { state.outcome = error.map { .failure($0) } ?? .success(()) }
        }
    }

    private func wake(after change: (inout State) -> Void) {
        let waiter = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            change(&state)
            guard Self.mayGoOn(state) else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    private static func mayGoOn(_ state: State) -> Bool {
        state.outcome != nil || (state.isBinary != nil && state.end == nil && state.size <= Self.capacity / 2)
    }

    // MARK: The task's side

    /// Waits until the server takes data and says in which format. Throws when the statement failed instead.
    func started() async throws -> Bool {
        await self.wait()
        return try self.state.withLock { state in
            try state.outcome?.get()
            return state.isBinary ?? false
        }
    }

    /// Appends a chunk. True when the loop has to be told.
    func append(_ chunk: [UInt8]) -> Bool {
        self.state.withLock { state in
            state.chunks.append(chunk)
            state.size += chunk.count
            defer { state.isDry = false }
            return state.isDry
        }
    }

    /// Waits while too much is under way, and lets others have the thread in any case: a server that keeps up would have a writer
    /// keep it until the COPY ends. Throws when the COPY has ended already, with the server's reason if it gave one.
    func room() async throws {
        let isRoomy = self.state.withLock { $0.size <= Self.capacity && $0.outcome == nil }
        if isRoomy {
            await Task.yield()
        } else {
            await self.wait()
        }
        try self.state.withLock { state in
            guard let outcome = state.outcome else { return }
            try outcome.get()
            throw PGError(.invalidState, message: "the COPY has ended already")
        }
    }

    /// Nothing more is appended. The first end counts.
    func end(_ end: End) {
        self.state.withLock { state in
            if state.end == nil { state.end = end }
        }
    }

    /// Waits for the outcome, which the job holds.
    func ended() async {
        await self.wait()
    }

    private func wait() async {
        await withCheckedContinuation { continuation in
            let mayGoOn = self.state.withLock { state in
                if Self.mayGoOn(state) { return true }
                state.waiter = continuation
                return false
            }
            if mayGoOn { continuation.resume() }
        }
    }
}
