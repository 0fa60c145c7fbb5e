import PGClient
import Synchronization

/// Tasks that run one statement again and again, while the server goes away and comes back.
final class Load: Sendable {
    private struct State {
        var isOver = false
        /// Counted up whenever the server goes or comes; even while it is there.
        var changes = 0
        var served = 0
        var complaints: [String] = []
    }

    private let state = Mutex(State())
    private let client: PGClient
    private let statement: PGQuery

    init(_ client: PGClient, _ statement: PGQuery) {
        (self.client, self.statement) = (client, statement)
    }

    var complaints: [String] { self.state.withLock { $0.complaints } }

    /// Runs `body` beside 16 such tasks.
    func run(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup { group in
            for _ in 0..<16 { group.addTask { await self.work() } }
            defer { self.state.withLock { $0.isOver = true } }
            try await body()
        }
    }

    /// Waits until so many more have succeeded.
    func serve(_ count: Int) async throws {
        func served() -> Int { self.state.withLock { $0.served } }
        let before = served()
        guard try await Soak.eventually({ served() >= before + count }) else {
            return self.state.withLock { $0.complaints.append("the load stands still") }
        }
    }

    /// Milliseconds until the statement succeeds, for a server that is back. From then on no other may fail either.
    func recover() async -> Double {
        let start = ContinuousClock.now
        while (try? await self.client.execute(self.statement)) == nil { await Task.yield() }
        let time = milliseconds(ContinuousClock.now - start)
        self.state.withLock { $0.changes += 1 }
        return time
    }

    /// The server is about to go: whatever is begun from now on may fail.
    func expectOutage() {
        self.state.withLock { $0.changes += 1 }
    }

    private func work() async {
        while true {
            guard let before = self.state.withLock({ $0.isOver ? nil : $0.changes }) else { return }
            do {
                try await self.client.execute(self.statement)
                self.state.withLock { $0.served += 1 }
            } catch {
                self.state.withLock { state in
                    // Begun when the server was back, ended before it went again: the connection was a dead one.
                    guard before.isMultiple(of: 2), state.changes == before else { return }
                    state.complaints.append("failed on a server that is there: \(String(reflecting: error))")
                }
            }
        }
    }
}
