import Foundation
import Glibc
public import PGClient

/// Stands between a client and its server and fails on command.
///
/// Everything that is said to it concerns the connections that are there and those to come, unless it says otherwise.
public final class FaultProxy: @unchecked Sendable {  // `state` is touched only while `condition` is locked
    /// Both sockets of a connection that passes through.
    private final class Pair {
        let client: Int32
        let server: Int32
        var isReset = false
        /// How many more messages of the server pass before the connection is cut; nil for all.
        var remainingMessages: Int?

        init(client: Int32, server: Int32, remainingMessages: Int?) {
            (self.client, self.server, self.remainingMessages) = (client, server, remainingMessages)
        }
    }

    private struct State {
        var isFrozen = false
        var latency: Duration?
        var isDribbling = false
        var messagesOfNext: Int?
        var listener: Int32 = -1
        var pairs: [Pair] = []
        var accepted = 0
        var generation = 0
        var traffic = FrontendTraffic()
    }

    private let condition = NSCondition()
    private var state = State()
    private let directory: String
    private let target: Endpoint
    private let original: PGConfiguration
    private let transport: Transport
    /// Of `.tcp`: the same after `close()` and `listen()`.
    private var port: UInt16 = 0

    /// Listens, and connects on to the first host of `configuration` for each client. The host has to be on this machine.
    public init(to configuration: PGConfiguration, over transport: Transport = .unixSocket) throws {
        self.original = configuration
        self.transport = transport
        let host = try configuration.firstHost()
        let port = host.port.isEmpty ? "5432" : host.port
        if host.name.isEmpty || host.name.hasPrefix("/") {
            self.target = .unix(path: (host.name.isEmpty ? "/var/run/postgresql" : host.name) + "/.s.PGSQL." + port)
        } else {
            self.target = .tcp(port: UInt16(port) ?? 5432)
        }
        self.directory = NSTemporaryDirectory() + "fp-" + String(UInt32.random(in: 0 ... .max), radix: 36)
        try FileManager.default.createDirectory(atPath: self.directory, withIntermediateDirectories: true)
        try self.listen()
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.directory)
    }

    /// The configuration with the proxy in place of the server, and all else as it was.
    public func configuration() throws -> PGConfiguration {
        var place = ["host": self.directory, "hostaddr": "", "port": "5432"]
        if case .tcp = self.transport {
            place = ["host": "127.0.0.1", "hostaddr": "", "port": "\(self.locked { _ in self.port })"]
        }
        return self.original.with(conninfo: try self.original.conninfo(replacing: place))
    }

    /// How many connections were ever accepted.
    public var accepted: Int { self.locked { $0.accepted } }

    /// What all clients have asked for so far.
    public var traffic: FrontendTraffic { self.locked { $0.traffic } }

    // MARK: Faults

    /// From now on no byte passes in either direction and nobody is told; the sockets stay open.
    public func freeze() {
        self.locked { $0.isFrozen = true }
    }

    /// Lets everything that was held back go on.
    public func thaw() {
        self.locked { $0.isFrozen = false }
    }

    /// Every piece waits so long before it is passed on, in both directions; nil for no time.
    public func delay(_ latency: Duration?) {
        self.locked { $0.latency = latency }
    }

    /// Whether bytes pass one by one.
    public func dribble(_ isDribbling: Bool) {
        self.locked { $0.isDribbling = isDribbling }
    }

    /// Ends every connection. Over TCP both sides are told of a reset; over a unix socket it just ends.
    public func reset() {
        self.locked { state in
            for pair in state.pairs { self.cut(pair) }
        }
    }

    /// The clients see the end of what the server sends, and can still send themselves.
    public func halfClose() {
        self.locked { state in
            for pair in state.pairs { shutdown(pair.client, Int32(SHUT_WR)) }
        }
    }

    /// Cuts each connection that is made from now on when the server has sent `messages` of its protocol's messages whole, which those of
    /// the login are among; nil lets all pass. Not for encrypted connections.
    public func cut(afterMessages messages: Int?) {
        self.locked { $0.messagesOfNext = messages }
    }

    /// Refuses new connections, as a server that is down.
    public func close() {
        self.locked { state in
            state.generation += 1
            if state.listener >= 0 { shutdown(state.listener, Int32(SHUT_RDWR)) }
            state.listener = -1
        }
        unlink(self.socketPath)
    }

    /// Accepts connections, from the beginning or after `close()`.
    public func listen() throws {
        let endpoint: Endpoint =
            switch self.transport {
            case .unixSocket: .unix(path: self.socketPath)
            case .tcp: .tcp(port: self.locked { _ in self.port })
            }
        let descriptor = try Sockets.listen(endpoint)
        let generation = self.locked { state in
            state.listener = descriptor
            if case .tcp = self.transport { self.port = Sockets.port(of: descriptor) }
            return state.generation
        }
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(descriptor, nil, nil)
                guard client >= 0, let self, self.locked({ $0.generation == generation }) else {
                    if client >= 0 { Glibc.close(client) }
                    break
                }
                self.connect(client)
            }
            Glibc.close(descriptor)
        }
    }

    // MARK: Inside

    private var socketPath: String { self.directory + "/.s.PGSQL.5432" }

    /// Wakes the threads that read, without a word to the other sides, which hear of it when the sockets are closed.
    private func cut(_ pair: Pair) {
        pair.isReset = true
        for descriptor in [pair.client, pair.server] {
            if case .tcp = self.transport { Sockets.resetOnClose(descriptor) }
            shutdown(descriptor, Int32(SHUT_RD))
        }
        if case .unixSocket = self.transport {
            for descriptor in [pair.client, pair.server] { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    private func connect(_ client: Int32) {
        self.locked { $0.accepted += 1 }
        self.waitWhileFrozen()
        guard let server = Sockets.connect(self.target) else {
            Glibc.close(client)
            return
        }
        let pair = self.locked { state in
            let pair = Pair(client: client, server: server, remainingMessages: state.messagesOfNext)
            state.pairs.append(pair)
            return PairReference(pair: pair)
        }
        let remaining = NSLock()
        nonisolated(unsafe) var open = 2  // only touched while `remaining` is locked
        for (from, to) in [(client, server), (server, client)] {
            Thread.detachNewThread { [self] in
                self.copy(pair, from: from, to: to)
                if !self.locked({ _ in pair.pair.isReset }) { shutdown(to, Int32(SHUT_WR)) }
                let isLast = remaining.withLock {
                    open -= 1
                    return open == 0
                }
                guard isLast else { return }
                self.locked { $0.pairs.removeAll { $0 === pair.pair } }
                Glibc.close(client)
                Glibc.close(server)
            }
        }
    }

    // What varies in the pair is touched only while `condition` is locked.
    private struct PairReference: @unchecked Sendable {
        let pair: Pair
    }

    private func copy(_ reference: PairReference, from: Int32, to: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var counter = MessageCounter()
        var requests = FrontendMessages()
        while true {
            let count = recv(from, &buffer, buffer.count, 0)
            let (latency, isDribbling) = self.locked { ($0.latency, $0.isDribbling) }
            if let latency { Thread.sleep(forTimeInterval: latency / .seconds(1)) }
            self.waitWhileFrozen()
            guard count > 0 else { return }
            var piece = buffer[..<count]
            var isLast = false
            if from == reference.pair.client { self.locked { requests.read(piece, counting: &$0.traffic) } }
            if from == reference.pair.server {
                (piece, isLast) = self.locked { _ in counter.limit(piece, to: &reference.pair.remainingMessages) }
            }
            for part in isDribbling ? piece.indices.map({ piece[$0...$0] }) : [piece] {
                guard Sockets.send(part, to: to) else { return }
            }
            if isLast { self.locked { _ in self.cut(reference.pair) } }
        }
    }

    private func waitWhileFrozen() {
        self.condition.lock()
        while self.state.isFrozen { self.condition.wait() }
        self.condition.unlock()
    }

    private func locked<R>(_ body: (inout State) -> R) -> R {
        self.condition.lock()
        defer {
            self.condition.broadcast()
            self.condition.unlock()
        }
        return body(&self.state)
    }
}

/// Finds the ends of the server's messages in what it sends: a type, a length of four bytes that counts itself, the rest.
struct MessageCounter {
    private var header: [UInt8] = []
    private var missing = 0
    private var isFirstByte = true

    /// Takes as much of the piece as belongs to the next `remaining` messages, and counts them down. The flag says that they are over.
    mutating func limit(_ piece: ArraySlice<UInt8>, to remaining: inout Int?) -> (ArraySlice<UInt8>, isLast: Bool) {
        guard var left = remaining else { return (piece, false) }
        var index = piece.startIndex
        while index < piece.endIndex, left > 0 {
            // The answer to a request for encryption is one byte, which begins no message that a server begins with.
            if self.isFirstByte, piece[index] == UInt8(ascii: "N") || piece[index] == UInt8(ascii: "S") {
                self.isFirstByte = false
                index += 1
                continue
            }
            self.isFirstByte = false
            if self.header.count < 5 {
                self.header.append(piece[index])
                index += 1
                guard self.header.count == 5 else { continue }
                self.missing = self.header[1...].reduce(0) { $0 << 8 | Int($1) } - 4
            } else {
                let step = min(self.missing, piece.endIndex - index)
                self.missing -= step
                index += step
            }
            if self.missing <= 0 {
                self.header = []
                left -= 1
            }
        }
        remaining = left
        return (piece[..<index], left == 0)
    }
}

/// Runs `body` with a proxy that is thawed, cut and closed afterwards.
@discardableResult
public func withFaultProxy<R>(
    to configuration: PGConfiguration, over transport: Transport = .unixSocket,
    _ body: (FaultProxy) async throws -> R
) async throws -> R {
    let proxy = try FaultProxy(to: configuration, over: transport)
    defer {
        proxy.thaw()
        proxy.close()
        proxy.reset()
    }
    return try await body(proxy)
}
