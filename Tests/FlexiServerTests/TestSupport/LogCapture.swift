import Foundation
import Logging
import Synchronization

@testable import FlexiServer

/// The lines that a server logged.
final class LogCapture: Sendable {
    private let captured = Mutex<[String]>([])

    var lines: [String] { self.captured.withLock { $0 } }

    /// Those lines, as JSON objects, whose message is the given one.
    func events(_ message: String) -> [[String: Any]] {
        self.lines.compactMap { line in
            (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
        }.filter { $0["message"] as? String == message }
    }

    func logger() -> Logger {
        Logger(label: "test") { _ in
            LineLogHandler(level: .debug, isJSON: true) { line in
                self.captured.withLock { $0.append(line) }
            }
        }
    }
}
