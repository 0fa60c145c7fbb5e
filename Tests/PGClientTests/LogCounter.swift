import Foundation
import Logging

/// Counts how often one line is logged.
final class LogCounter: Sendable {
    private final class Count: @unchecked Sendable {  // `value` is touched only while `lock` is held
        let lock = NSLock()
        var value = 0
    }

    private struct Handler: LogHandler {
        let message: String
        let total: Count
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            guard event.message.description == self.message else { return }
            self.total.lock.withLock { self.total.value += 1 }
        }
    }

    private let total = Count()
    let logger: Logger

    init(_ message: String) {
        let handler = Handler(message: message, total: self.total)
        self.logger = Logger(label: "LogCounter", factory: { _ in handler })
    }

    var count: Int { self.total.lock.withLock { self.total.value } }
}
