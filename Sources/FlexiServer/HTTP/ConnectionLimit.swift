import Glibc
import HummingbirdCore
import Logging

/// How many clients are connected at a time; the others wait in the kernel's queue, where they cost no file of the process.
///
/// Beyond what a process may open, accepting fails again and again, and nothing is left for the database.
struct ConnectionLimit: AvailableConnectionsDelegate {
    private let maximum: Int
    private let logger: Logger
    private var connections = 0
    /// The log was told, and is told again once half of them have gone.
    private var isTold = false

    init(_ maximum: Int, logger: Logger) {
        self.maximum = maximum
        self.logger = logger
    }

    /// For a process that may open so many files: a quarter of them, and no fewer than 128, are for the database and neighbours.
    static func maximum(files: Int) -> Int { max(16, files - max(128, files / 4)) }

    static var ofProcess: Int {
        var limit = rlimit()
        let isKnown = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        return Self.maximum(files: isKnown ? Int(clamping: limit.rlim_cur) : 1024)
    }

    mutating func connectionOpened() {
        self.connections += 1
        guard self.connections >= self.maximum, !self.isTold else { return }
        self.isTold = true
        self.logger.warning(
            "as many clients are connected as may be; others wait",
            metadata: ["http.connections": "\(self.connections)"])
    }

    mutating func connectionClosed() {
        self.connections -= 1
        if self.connections <= self.maximum / 2 { self.isTold = false }
    }

    func isAcceptingNewConnections() -> Bool { self.connections < self.maximum }
}
