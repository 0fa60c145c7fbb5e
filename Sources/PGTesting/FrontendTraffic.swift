/// What clients have asked a server for, counted from the messages of PostgreSQL's protocol, version 3.
public struct FrontendTraffic: Sendable, Hashable {
    /// Statements that were run: Execute and Query messages.
    public internal(set) var statements = 0
    /// How often a client waited for the server to be done: Sync and Query messages.
    public internal(set) var roundTrips = 0
    /// Connections that began with a request for TLS.
    public internal(set) var encryptionRequests = 0
    /// The sessions that requests to cancel were for, as far as these travelled in the clear: the server's process and its key.
    public internal(set) var cancelRequests: [[UInt8]] = []

    public static func - (later: FrontendTraffic, earlier: FrontendTraffic) -> FrontendTraffic {
        var difference = later
        difference.statements -= earlier.statements
        difference.roundTrips -= earlier.roundTrips
        difference.encryptionRequests -= earlier.encryptionRequests
        difference.cancelRequests.removeFirst(earlier.cancelRequests.count)
        return difference
    }
}

/// Takes the messages of one connection apart, however they are cut into pieces.
struct FrontendMessages {
    /// The type and length of the message that is about to come; the first one of a connection has no type.
    private var head: [UInt8] = [UInt8(ascii: "-")]
    /// Bytes of the body that are still to come.
    private var remaining = 0
    /// The beginning of the first message's body; nil once it is known what that is.
    private var opening: [UInt8]? = []

    mutating func read(_ bytes: ArraySlice<UInt8>, counting traffic: inout FrontendTraffic) {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if self.remaining > 0 {
                let part = min(self.remaining, bytes.endIndex - index)
                self.open(bytes[index..<index + part], counting: &traffic)
                index += part
                self.remaining -= part
                continue
            }
            self.head.append(bytes[index])
            index += 1
            guard self.head.count == 5 else { continue }
            self.remaining = self.head[1...].reduce(0) { $0 << 8 | Int($1) } - 4
            switch self.head[0] {
            case UInt8(ascii: "E"): traffic.statements += 1
            case UInt8(ascii: "S"): traffic.roundTrips += 1
            case UInt8(ascii: "Q"):
                traffic.statements += 1
                traffic.roundTrips += 1
            default: break
            }
            self.head = []
        }
    }

    /// Reads what may stand in place of a login: a code of four bytes, behind which a request to cancel has the session.
    private mutating func open(_ body: ArraySlice<UInt8>, counting traffic: inout FrontendTraffic) {
        guard let opening else { return }
        let known = opening + body
        let isWhole = self.remaining == body.count
        self.opening = isWhole || known.count > 12 ? nil : known
        guard isWhole else { return }
        switch (known.prefix(4), known.count) {
        case ([4, 210, 22, 46], 12): traffic.cancelRequests.append(Array(known[4...]))
        case ([4, 210, 22, 47], 4): traffic.encryptionRequests += 1
        default: break
        }
    }
}
