import Synchronization

/// Wakes the one task that waits. Rung while nobody waits, it lets the next one through at once; rung twice, it is rung once.
final class Bell: Sendable {
    private enum State {
        case silent
        case rung
        case awaited(CheckedContinuation<Void, Never>)
    }

    private let state = Mutex(State.silent)

    func ring() {
        let waiting = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard case .awaited(let continuation) = state else {
                state = .rung
                return nil
            }
            state = .silent
            return continuation
        }
        waiting?.resume()
    }

    /// Returns once the bell is rung, after `time`, or when the task is cancelled, whatever comes first.
    func wait(upTo time: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await Task.sleep(for: time) }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isRung = self.state.withLock { state in
                    if case .rung = state {
                        state = .silent
                        return true
                    }
                    state = .awaited(continuation)
                    return false
                }
                // Whoever was cancelled before is let go by the bell that cancelling rings.
                if isRung { continuation.resume() } else if Task.isCancelled { self.leave() }
            }
        } onCancel: {
            self.leave()
        }
    }

    /// Lets the waiting task go without a bell.
    private func leave() {
        let waiting = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard case .awaited(let continuation) = state else { return nil }
            state = .silent
            return continuation
        }
        waiting?.resume()
    }
}
