import Foundation
import Glibc
public import PGClient

/// A server that says what a test tells it to, byte by byte if need be.
public final class ScriptedServer: Sendable {
    private let listener: Int32
    private let directory: String
    private let transport: Transport

    /// Runs `script` for each client, on a thread of its own; the connection ends with it. What it throws ends it too.
    public init(
        over transport: Transport = .unixSocket,
        _ script: @escaping @Sendable (ScriptedSession) throws -> Void
    ) throws {
        self.transport = transport
        self.directory = NSTemporaryDirectory() + "ss-" + String(UInt32.random(in: 0 ... .max), radix: 36)
        try FileManager.default.createDirectory(atPath: self.directory, withIntermediateDirectories: true)
        let listener =
            switch transport {
            case .unixSocket: try Sockets.listen(.unix(path: self.directory + "/.s.PGSQL.5432"))
            case .tcp: try Sockets.listen(.tcp(port: 0))
            }
        self.listener = listener
        Thread.detachNewThread {
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { break }
                Thread.detachNewThread {
                    let session = ScriptedSession(client)
                    try? script(session)
                    session.close()
                }
            }
            Glibc.close(listener)
        }
    }

    deinit {
        shutdown(self.listener, Int32(SHUT_RDWR))
        try? FileManager.default.removeItem(atPath: self.directory)
    }

    public var configuration: PGConfiguration {
        switch self.transport {
        case .unixSocket: PGConfiguration("host=\(self.directory) port=5432 user=test dbname=test")
        case .tcp:
            PGConfiguration(
                "host=127.0.0.1 port=\(Sockets.port(of: self.listener)) user=test dbname=test sslmode=disable")
        }
    }
}

/// The server's side of one connection.
public final class ScriptedSession {
    /// What a client sent: the type (nil for the messages of the start, which have none) and the rest.
    public struct Message {
        public let type: Character?
        public let payload: [UInt8]
    }

    /// The client is gone, or sends what is no message.
    public struct Ended: Error {}

    private let descriptor: Int32
    private var isOpen = true

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Waits for the client's next message.
    public func receive() throws -> Message {
        let type = try self.read(1)[0]
        let length = try self.read(4).reduce(0) { $0 << 8 | Int($1) }
        guard length >= 4 else { throw Ended() }
        return Message(type: Character(Unicode.Scalar(type)), payload: try self.read(length - 4))
    }

    /// Waits for a message of the start: the login, a request for encryption or one to cancel.
    public func receiveStartup() throws -> Message {
        let length = try self.read(4).reduce(0) { $0 << 8 | Int($1) }
        guard (8...10_000).contains(length) else { throw Ended() }
        return Message(type: nil, payload: try self.read(length - 4))
    }

    /// Skips to the next message of one of these types.
    @discardableResult
    public func receive(until types: Set<Character>) throws -> Message {
        while true {
            let message = try self.receive()
            if let type = message.type, types.contains(type) { return message }
        }
    }

    public func send(_ type: Character, _ payload: [UInt8] = []) throws {
        try self.send(bytes: [type.asciiValue ?? 0] + Self.int32(payload.count + 4) + payload)
    }

    public func send(bytes: [UInt8]) throws {
        guard Sockets.send(bytes, to: self.descriptor) else { throw Ended() }
    }

    /// Lets the client in, who may be anybody, and waits for its first query.
    public func welcome(parameters: [String: String] = ["server_version": "15.0", "client_encoding": "UTF8"]) throws {
        _ = try self.receiveStartup()
        try self.letIn(parameters: parameters)
    }

    /// As `welcome`, a client whose first message was received.
    public func letIn(parameters: [String: String] = ["server_version": "15.0", "client_encoding": "UTF8"]) throws {
        try self.send("R", Self.int32(0))
        for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
            try self.send("S", Self.string(name) + Self.string(value))
        }
        try self.send("K", Self.int32(4711) + Self.int32(42))
        try self.sendReady()
    }

    /// ReadyForQuery; `I` is idle, `T` in a transaction, `E` in a failed one.
    public func sendReady(_ status: Character = "I") throws {
        try self.send("Z", [status.asciiValue ?? 0])
    }

    public func sendError(_ sqlState: String, _ message: String, severity: String = "ERROR") throws {
        var fields: [UInt8] = []
        for (code, text) in [("S", severity), ("V", severity), ("C", sqlState), ("M", message)] {
            fields += Array(code.utf8) + Self.string(text)
        }
        try self.send("E", fields + [0])
    }

    /// Waits until the client goes.
    public func stall() {
        while (try? self.read(1)) != nil {}
    }

    /// Ends the connection with a reset, over TCP.
    public func reset() {
        Sockets.resetOnClose(self.descriptor)
        self.close()
    }

    public func close() {
        guard self.isOpen else { return }
        self.isOpen = false
        Glibc.close(self.descriptor)
    }

    /// In network order, as the protocol has all numbers.
    public static func int32(_ value: Int) -> [UInt8] {
        withUnsafeBytes(of: Int32(truncatingIfNeeded: value).bigEndian) { Array($0) }
    }

    public static func int16(_ value: Int) -> [UInt8] {
        withUnsafeBytes(of: Int16(truncatingIfNeeded: value).bigEndian) { Array($0) }
    }

    /// With the NUL that ends it.
    public static func string(_ text: String) -> [UInt8] {
        Array(text.utf8) + [0]
    }

    private func read(_ count: Int) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        var offset = 0
        while offset < count {
            let received = buffer.withUnsafeMutableBytes {
                recv(self.descriptor, $0.baseAddress.map { $0 + offset }, count - offset, 0)
            }
            guard received > 0 else { throw Ended() }
            offset += received
        }
        return buffer
    }
}
