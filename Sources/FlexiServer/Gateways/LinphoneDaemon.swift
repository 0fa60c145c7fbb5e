import NIOCore

/// The control socket of `linphone-daemon --pipe`.
///
/// The daemon reads at most 32,767 bytes at once and runs what stands before the first line break as one command. It
/// serves one client at a time and hangs up on any other, also on one that comes before it has noticed that the last
/// one left.
struct LinphoneDaemon: SIPMessenger {
    private static let queueLimit = 64
    private static let maximumAnswerBytes = 4_096

    private let socket: UnixSocket
    private let timeout: Duration
    private let turnstile = Turnstile(width: 1, queueLimit: Self.queueLimit)

    init(socketPath: String, timeout: Duration) {
        self.socket = UnixSocket(path: socketPath)
        self.timeout = timeout
    }

    /// Waits for its turn, here and, where several servers share the daemon, there.
    func send(_ message: SIPMessage) async throws -> SIPMessageOutcome {
        // A daemon given an address without a text ends itself.
        let command = "message \(message.to) \(Self.line(message.body))\n"
        return try await Neighbour.messenger.ask(within: self.timeout) {
            try await self.turnstile.pass {
                let answer = try await self.socket.exchangeWhenTaken(
                    command, maximumBytes: Self.maximumAnswerBytes, until: { Self.parse($0) != nil })
                switch Self.parse(answer) {
                case .id(let id)?: return .accepted(id: id)
                case .error("Bad sip uri.")?: return .unknownAddress
                case .error(let reason)?: throw GatewayFailure(.messenger, "the daemon refused: \(reason)")
                case .rubbish?, nil: throw GatewayFailure(.messenger, "the daemon's answer makes no sense")
                }
            }
        }
    }

    /// The text on one line: U+2028 in place of every other line break, which the daemon passes on and clients show
    /// as a line break.
    private static func line(_ body: String) -> String {
        body.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).joined(separator: "\u{2028}")
    }

    private enum Answer: Hashable {
        case id(String)
        case error(String)
        case rubbish
    }

    /// `Status: Ok`, an empty line and `Id: …`, or `Status: Error` and `Reason: …`; `nil` while more must come.
    private static func parse(_ buffer: ByteBuffer) -> Answer? {
        let text = String(buffer: buffer)
        guard text.hasPrefix("Status: ") || "Status: ".hasPrefix(text) else { return .rubbish }
        // What stands behind the last line break may go on.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().filter { !$0.isEmpty }
        guard lines.count >= 2 else { return nil }
        switch (lines[0], lines[1]) {
        case ("Status: Ok", let line) where line.hasPrefix("Id: "): return .id(String(line.dropFirst(4)))
        case ("Status: Error", let line) where line.hasPrefix("Reason: "): return .error(String(line.dropFirst(8)))
        default: return .rubbish
        }
    }
}
