#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The three streams every process is born with.
enum StandardStreams {
    static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    static func writeOutput(_ text: String) {
        self.write(text, to: STDOUT_FILENO)
    }

    @Sendable static func writeError(_ text: String) {
        self.write(text, to: STDERR_FILENO)
    }

    /// The first line of standard input without its end; `nil` at the end of input. A terminal does not show what is
    /// typed.
    static func readSecretLine(prompt: String) -> String? {
        guard isatty(STDIN_FILENO) == 1 else { return readLine(strippingNewline: true) }
        self.writeError(prompt)
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
        var silent = settings
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
            self.writeError("\n")
        }
        return readLine(strippingNewline: true)
    }

    /// What a closed pipe or a full disk does not take is lost: there is nobody left to tell.
    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                #if canImport(Glibc)
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                #else
                let count = Musl.write(descriptor, rest.baseAddress, rest.count)
                #endif
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            }
        }
    }
}
