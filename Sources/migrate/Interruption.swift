import Dispatch
import Glibc
import Migrator

/// Turns SIGINT and SIGTERM into the cancellation of a task.
enum Interruption {
    /// Runs `body` until it ends or the first signal comes, and then until what it was at is undone. A second signal ends the process
    /// at once.
    ///
    /// Throws `MigrationFailure` of kind `interrupted` when `body` was cancelled; what that meant for a file, only `body` can say.
    static func cancelling<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
        let (signals, continuation) = AsyncStream<Int32>.makeStream()
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                signal(SIGINT, SIG_DFL)
                signal(SIGTERM, SIG_DFL)
                continuation.yield(number)
            }
            source.resume()
            return source
        }
        defer { sources.forEach { $0.cancel() } }
        return try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in signals { break }
                return nil
            }
            do {
                while let outcome = try await group.next() {
                    group.cancelAll()
                    if let outcome { return outcome }
                }
            } catch is CancellationError {
                // Told below.
            }
            throw MigrationFailure(.interrupted, "interrupted")
        }
    }
}
