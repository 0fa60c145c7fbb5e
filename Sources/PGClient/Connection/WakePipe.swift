import Glibc

/// Ends the `poll` of a thread that watches `descriptor`.
final class WakePipe: Sendable {
    let descriptor: Int32
    private let end: Int32

    init() throws(PGError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw PGError(.connection, message: "no file descriptor is left: \(String(cString: strerror(errno)))")
        }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (self.descriptor, self.end) = (ends[0], ends[1])
    }

    deinit {
        close(self.descriptor)
        close(self.end)
    }

    func wake() {
        var byte: UInt8 = 0
        _ = write(self.end, &byte, 1)
    }

    /// Takes what woke the thread, so that it can sleep again.
    func clear() {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { bytes in
            _ = read(self.descriptor, bytes.baseAddress, bytes.count)
        }
    }
}
