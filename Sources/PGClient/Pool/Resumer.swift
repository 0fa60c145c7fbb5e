import Glibc

/// Resumes tasks from a task of its own, so that a thread is woken once for all of them and not for each (docs/decisions/0016).
final class Resumer: Sendable {
    private struct State {
        /// What the task was woken for and has not taken yet.
        var requests: [PoolRequest] = []
        /// Of the task while it has nothing to do; tells it whether to go on.
        var continuation: UnsafeContinuation<Bool, Never>?
        var isStarted = false
        var isStopped = false
    }

    private let state = Locked(State())
    private let executor: (any TaskExecutor)?

    /// The task runs on `executor`, or on the threads that all share.
    init(on executor: (any TaskExecutor)? = nil) {
        self.executor = executor
    }

    /// Whether this process may run on one processor only. There a thread that is woken takes it at once from the one that wakes.
    static let isWorthwhile: Bool = {
        // Glibc's module leaves out what is GNU's own.
        typealias GetAffinity = @convention(c) (pid_t, Int, UnsafeMutablePointer<cpu_set_t>) -> Int32
        guard let symbol = dlsym(nil, "sched_getaffinity") else { return false }
        var processors = cpu_set_t()
        guard unsafeBitCast(symbol, to: GetAffinity.self)(0, MemoryLayout<cpu_set_t>.size, &processors) == 0 else {
            return false
        }
        return withUnsafeBytes(of: processors) { $0.reduce(0) { $0 + $1.nonzeroBitCount } } == 1
    }()

    /// Leaves it to the task to resume those who wait for `requests`. As long as that has not come to what it was given before, the
    /// threads are awake and busy: then all are resumed right here.
    func resume(_ requests: [PoolRequest]) {
        // One alone wakes no more by itself.
        guard requests.count > 1 else { return requests.forEach { $0.resume() } }
        let (here, continuation, mustStart) = self.state.withLock {
            state -> ([PoolRequest], UnsafeContinuation<Bool, Never>?, Bool) in
            if let continuation = state.continuation {
                state.continuation = nil
                state.requests = requests
                return ([], continuation, false)
            }
            defer {
                state.requests = []
                state.isStarted = true
            }
            return (state.requests + requests, nil, !state.isStarted && !state.isStopped)
        }
        // Of nobody's task: it is the loop's thread that needs it, and it ends by `stop`.
        if mustStart { Task.detached(executorPreference: self.executor) { await self.run() } }
        continuation?.resume(returning: true)
        for request in here { request.resume() }
    }

    /// Ends the task. Everything that it has not taken, and what comes later, is resumed right here.
    func stop() {
        let (here, continuation) = self.state.withLock { state in
            defer {
                state.requests = []
                state.continuation = nil
                state.isStopped = true
            }
            return (state.requests, state.continuation)
        }
        continuation?.resume(returning: false)
        for request in here { request.resume() }
    }

    private func run() async {
        while await self.isNeeded() {
            let requests = self.state.withLock { state in
                defer { state.requests = [] }
                return state.requests
            }
            for request in requests { request.resume() }
        }
    }

    private func isNeeded() async -> Bool {
        await withUnsafeContinuation { continuation in
            let isStopped = self.state.withLock { state in
                if !state.isStopped { state.continuation = continuation }
                return state.isStopped
            }
            if isStopped { continuation.resume(returning: false) }
        }
    }
}
