/// What clients have asked a server for, counted from the messages of PostgreSQL's protocol, version 3.
public struct FrontendTraffic: Sendable, Hashable {
    /// Statements that were run: Execute and Query messages.
    public internal(set) var statements = 0
    /// How often a client waited for the server to be done: Sync and Query messages.
    public internal(set) var roundTrips = 0

    public static func - (later: FrontendTraffic, earlier: FrontendTraffic) -> FrontendTraffic {
        var difference = later
        difference.statements -= earlier.statements
        difference.roundTrips -= earlier.roundTrips
        return difference
    }
}

/// Takes the messages of one connection apart, however they are cut into pieces.
struct FrontendMessages {
    /// The type and length of the message that is about to come; the first one of a connection has no type.
    private var head: [UInt8] = [UInt8(ascii: "-")]
    /// Bytes of the body that are still to come.
    private var remaining = 0

    mutating func read(_ bytes: ArraySlice<UInt8>, counting traffic: inout FrontendTraffic) {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if self.remaining > 0 {
                let part = min(self.remaining, bytes.endIndex - index)
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
}
