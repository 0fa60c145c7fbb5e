import Foundation
import Synchronization

/// A clock that only a test moves.
final class TestClock: Sendable {
    private let time: Mutex<Date>

    /// Starts at a whole second, at noon of a day that means nothing, unless a program with a clock of its own is to
    /// agree.
    init(at start: Date = Date(timeIntervalSince1970: 1_790_251_200)) {
        self.time = Mutex(start)
    }

    var now: Date { self.time.withLock { $0 } }

    func advance(by duration: Duration) {
        self.time.withLock { $0 += Double(duration.components.seconds) }
    }
}
