import NIOCore

/// Where a request came from.
struct ClientAddress: Sendable {
    /// The other end of the connection; `nil` on a unix socket.
    let peer: SocketAddress?
    /// What a trusted proxy says of the other end of its own.
    var forwarded: String?

    /// In text form, without the port; `nil` on a unix socket.
    var text: String? {
        self.forwarded ?? self.peer?.ipAddress
    }

    /// Whom the request is counted for.
    var network: ClientNetwork {
        self.forwarded.flatMap { ClientNetwork($0) } ?? ClientNetwork(self.peer)
    }

    init(peer: SocketAddress?) {
        self.peer = peer
    }

    /// Believes `X-Forwarded-For` as far as trusted proxies wrote it: from its end, past every trusted address, to
    /// the first other one.
    ///
    /// Returns whether the header came from somebody who is no trusted proxy, and was ignored.
    mutating func forward(_ header: String, trusting proxies: [NetworkRange]) -> Bool {
        func isTrusted(_ address: String) -> Bool { proxies.contains { $0.contains(address) } }
        guard let peer = self.peer?.ipAddress, isTrusted(peer) else { return true }
        for hop in header.split(separator: ",").reversed() {
            let address = String(hop.trimmed)
            guard NetworkRange(address) != nil, !address.contains("/") else { break }
            self.forwarded = address
            if !isTrusted(address) { break }
        }
        return false
    }
}
