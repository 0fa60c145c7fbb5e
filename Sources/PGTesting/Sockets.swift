import Glibc

/// What the proxy and the scripted server need of sockets. They block, on threads of their own.
enum Sockets {
    /// A listening socket below `path`, or on a free port of 127.0.0.1.
    static func listen(_ endpoint: Endpoint) throws -> Int32 {
        let descriptor: Int32
        let status: Int32
        switch endpoint {
        case .unix(let path):
            descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            status = self.withAddress(path) { bind(descriptor, $0, $1) }
        case .tcp(let port):
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            status = self.withAddress(port) { bind(descriptor, $0, $1) }
        }
        guard status == 0, Glibc.listen(descriptor, 64) == 0 else {
            let reason = errno
            close(descriptor)
            throw SocketError(what: "listen", reason: reason)
        }
        return descriptor
    }

    static func connect(_ endpoint: Endpoint) -> Int32? {
        let descriptor: Int32
        let status: Int32
        switch endpoint {
        case .unix(let path):
            descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            status = self.withAddress(path) { Glibc.connect(descriptor, $0, $1) }
        case .tcp(let port):
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            status = self.withAddress(port) { Glibc.connect(descriptor, $0, $1) }
        }
        guard status == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// Whether somebody listens.
    static func accepts(_ endpoint: Endpoint) -> Bool {
        guard let descriptor = self.connect(endpoint) else { return false }
        close(descriptor)
        return true
    }

    /// The port that the system has chosen.
    static func port(of descriptor: Int32) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    /// Sends all of it; false when the other side is gone.
    static func send(_ bytes: some Collection<UInt8>, to descriptor: Int32) -> Bool {
        let buffer = Array(bytes)
        var offset = 0
        while offset < buffer.count {
            let sent = buffer.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress.map { $0 + offset }, buffer.count - offset, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            offset += sent
        }
        return true
    }

    /// Closing it tells the other side that the connection was reset, where the protocol has a word for that.
    static func resetOnClose(_ descriptor: Int32) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            room.copyBytes(from: path.utf8.prefix(room.count - 1))
        }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func withAddress(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

/// A place on this machine.
enum Endpoint: Sendable {
    case unix(path: String)
    /// On 127.0.0.1; 0 is a port of the system's choice.
    case tcp(port: UInt16)
}

/// A call on a socket that failed.
public struct SocketError: Error, CustomStringConvertible {
    let what: String
    let reason: Int32

    public var description: String { "\(self.what): \(String(cString: strerror(self.reason)))" }
}
