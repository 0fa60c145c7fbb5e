import FoundationEssentials
import Glibc
import Synchronization

/// Standard output: on a terminal with colours and a line that is written over, plain otherwise.
final class Terminal: Sendable {
    enum Colour: Int {
        case red = 31
        case green = 32
        case yellow = 33
        case grey = 90
    }

    let isInteractive: Bool
    private let hasColours: Bool
    /// Whether a line stands there that the next one is written over.
    private let holdsProgress = Mutex(false)

    /// `NO_COLOR` (no-color.org) and `TERM=dumb` turn colours off.
    init() {
        let environment = ProcessInfo.processInfo.environment
        self.isInteractive = isatty(STDOUT_FILENO) == 1 && environment["TERM"] != "dumb"
        self.hasColours = self.isInteractive && (environment["NO_COLOR"] ?? "").isEmpty
    }

    func coloured(_ text: String, _ colour: Colour) -> String {
        self.hasColours ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    func line(_ text: String) {
        self.holdsProgress.withLock { holdsProgress in
            Self.write((holdsProgress ? Self.clearing : "") + text + "\n", to: STDOUT_FILENO)
            holdsProgress = false
        }
    }

    /// Shows the text until the next one comes; on a terminal only.
    func progress(_ text: String) {
        guard self.isInteractive else { return }
        self.holdsProgress.withLock { holdsProgress in
            let fitting = String(text.prefix(Self.width - 1))
            Self.write((holdsProgress ? Self.clearing : "") + self.coloured(fitting, .grey), to: STDOUT_FILENO)
            holdsProgress = true
        }
    }

    /// Takes the line of `progress` away.
    func endProgress() {
        self.holdsProgress.withLock { holdsProgress in
            if holdsProgress { Self.write(Self.clearing, to: STDOUT_FILENO) }
            holdsProgress = false
        }
    }

    static func writeError(_ text: String) {
        self.write(text + "\n", to: STDERR_FILENO)
    }

    /// Asks for a yes; nil when there is nobody to ask.
    func confirms(_ question: String) -> Bool? {
        guard self.isInteractive, isatty(STDIN_FILENO) == 1 else { return nil }
        Self.write(question + " [y/N] ", to: STDOUT_FILENO)
        return ["y", "yes"].contains(readLine()?.lowercased())
    }

    private static let clearing = "\r\u{1B}[2K"

    private static var width: Int {
        var size = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 10
        return isKnown ? Int(size.ws_col) : 80
    }

    /// What a closed pipe or a full disk does not take is lost: there is nobody left to tell.
    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            }
        }
    }
}
