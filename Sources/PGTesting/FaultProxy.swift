import Foundation
import Glibc
public import PGClient

/// Stands between a client and its server, on a Unix socket of its own, and fails on command.
public final class FaultProxy: @unchecked Sendable {  // `state` is touched only while `condition` is locked
    private struct State {
        var isFrozen = false
        var listener: Int32 = -1
        /// Both sockets of each connection that passes through.
        var pairs: [(client: Int32, server: Int32)] = []
        var accepted = 0
        var generation = 0
    }

    private let condition = NSCondition()
    private var state = State()
    private let directory: String
    private let target: (name: String, port: String)
    private let original: PGConfiguration

    /// Listens, and connects on to the first host of `configuration` for each client. The host has to be on this machine.
    public init(to configuration: PGConfiguration) throws {
        self.original = configuration
        let host = try configuration.firstHost()
        self.target = (host.name.isEmpty ? "/var/run/postgresql" : host.name, host.port.isEmpty ? "5432" : host.port)
        self.directory = NSTemporaryDirectory() + "fp-" + String(UInt32.random(in: 0 ... .max), radix: 36)
        try FileManager.default.createDirectory(atPath: self.directory, withIntermediateDirectories: true)
        try self.listen()
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.directory)
    }

    /// The configuration with the proxy in place of the server.
    public func configuration() throws -> PGConfiguration {
        var configuration = PGConfiguration(
            try self.original.conninfo(replacing: ["host": self.directory, "hostaddr": "", "port": "5432"])
        )
        configuration.pool = self.original.pool
        return configuration
    }

    /// How many connections were ever accepted.
    public var accepted: Int { self.locked { $0.accepted } }

    /// From now on no byte passes in either direction and nobody is told; the sockets stay open.
    public func freeze() {
        self.locked { $0.isFrozen = true }
    }

    /// Lets everything that was held back go on.
    public func thaw() {
        self.locked { $0.isFrozen = false }
    }

    /// Cuts every connection.
    public func reset() {
        self.locked { state in
            for pair in state.pairs {
                shutdown(pair.client, Int32(SHUT_RDWR))
                shutdown(pair.server, Int32(SHUT_RDWR))
            }
        }
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
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(self.socketPath)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0, Glibc.listen(descriptor, 64) == 0 else {
            throw CocoaError(.fileWriteUnknown)
        }
        let generation = self.locked { state in
            state.listener = descriptor
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

    private var socketPath: String { self.directory + "/.s.PGSQL.5432" }

    private func connect(_ client: Int32) {
        self.locked { $0.accepted += 1 }
        self.waitWhileFrozen()
        guard let server = self.connectToServer() else {
            Glibc.close(client)
            return
        }
        self.locked { $0.pairs.append((client, server)) }
        let remaining = NSLock()
        nonisolated(unsafe) var open = 2  // only touched while `remaining` is locked
        for (from, to) in [(client, server), (server, client)] {
            Thread.detachNewThread { [self] in
                self.copy(from: from, to: to)
                shutdown(to, Int32(SHUT_WR))
                let isLast = remaining.withLock {
                    open -= 1
                    return open == 0
                }
                guard isLast else { return }
                self.locked { $0.pairs.removeAll { $0.client == client } }
                Glibc.close(client)
                Glibc.close(server)
            }
        }
    }

    private func copy(from: Int32, to: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(from, &buffer, buffer.count, 0)
            self.waitWhileFrozen()
            guard count > 0 else { return }
            var offset = 0
            while offset < count {
                let sent = buffer.withUnsafeBytes {
                    send(to, $0.baseAddress.map { $0 + offset }, count - offset, Int32(MSG_NOSIGNAL))
                }
                guard sent > 0 else { return }
                offset += sent
            }
        }
    }

    private func connectToServer() -> Int32? {
        let status: Int32
        let descriptor: Int32
        if self.target.name.hasPrefix("/") {
            descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = Self.address(self.target.name + "/.s.PGSQL." + self.target.port)
            status = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        } else {
            var list: UnsafeMutablePointer<addrinfo>?
            var hints = addrinfo()
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            guard getaddrinfo(self.target.name, self.target.port, &hints, &list) == 0, let info = list?.pointee else {
                return nil
            }
            defer { freeaddrinfo(list) }
            descriptor = socket(info.ai_family, info.ai_socktype, info.ai_protocol)
            status = Glibc.connect(descriptor, info.ai_addr, info.ai_addrlen)
        }
        guard status == 0 else {
            Glibc.close(descriptor)
            return nil
        }
        return descriptor
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

    private static func address(_ path: String) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            room.copyBytes(from: path.utf8.prefix(room.count - 1))
        }
        return address
    }
}

/// Runs `body` with a proxy that is thawed, cut and closed afterwards.
@discardableResult
public func withFaultProxy<R>(
    to configuration: PGConfiguration, _ body: (FaultProxy) async throws -> R
) async throws -> R {
    let proxy = try FaultProxy(to: configuration)
    defer {
        proxy.thaw()
        proxy.close()
        proxy.reset()
    }
    return try await body(proxy)
}
