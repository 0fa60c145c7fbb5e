import Foundation
import NIOCore
import NIOPosix

/// An answer as it came over the wire.
struct HTTPReply: Sendable {
    let status: Int
    let headers: [(name: String, value: String)]
    let body: [UInt8]

    var text: String { String(decoding: self.body, as: UTF8.self) }

    /// The one header of that name; `nil` when there is none or there are several.
    func header(_ name: String) -> String? {
        let values = self.headers(name)
        return values.count == 1 ? values[0] : nil
    }

    func headers(_ name: String) -> [String] {
        self.headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// The body as a JSON object; empty when it is none.
    var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(self.body))) as? [String: Any] ?? [:]
    }

    /// The messages of a 422 for one field.
    func errors(_ field: String) -> [String]? {
        (self.json["errors"] as? [String: [String]])?[field]
    }

    /// Reads answers that stand one behind the other, each with its length.
    static func all(in bytes: [UInt8]) throws -> [HTTPReply] {
        var replies: [HTTPReply] = []
        var rest = bytes[...]
        while let end = rest.firstRange(of: Array("\r\n\r\n".utf8)) {
            let head = try HTTPReply(parsing: Array(rest[..<end.upperBound]))
            guard let length = head.header("Content-Length").flatMap(Int.init), rest[end.upperBound...].count >= length
            else { throw Malformed(bytes: Array(rest)) }
            let next = end.upperBound + length
            try replies.append(HTTPReply(parsing: Array(rest[..<next])))
            rest = rest[next...]
        }
        guard rest.isEmpty else { throw Malformed(bytes: Array(rest)) }
        return replies
    }

    /// Reads a whole answer: everything after the head is body, since the connection was closed behind it.
    init(parsing bytes: [UInt8]) throws {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { throw Malformed(bytes: bytes) }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
            throw Malformed(bytes: bytes)
        }
        self.status = status
        self.headers = lines.dropFirst().compactMap { line in
            line.firstIndex(of: ":").map { colon in
                (String(line[..<colon]), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
            }
        }
        self.body = Array(bytes[end.upperBound...])
    }

    struct Malformed: Error {
        let bytes: [UInt8]
    }
}

/// A request as it goes over the wire.
struct HTTPMessage: Sendable {
    let method: String
    let target: String
    var headers: [(String, String)] = []
    var body: [UInt8]?

    fileprivate func bytes(port: Int, isLast: Bool) -> [UInt8] {
        var head = "\(self.method) \(self.target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n"
        if isLast { head += "Connection: close\r\n" }
        for (name, value) in self.headers { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        return Array((head + "\r\n").utf8) + (self.body ?? [])
    }
}

/// Sends requests over real sockets, each on a connection of its own, byte for byte as they are given.
struct HTTPWire: Sendable {
    let port: Int

    /// Adds `Host` and `Connection: close`, and `Content-Length` where there is a body.
    func send(
        _ method: String, _ target: String, _ headers: [(String, String)] = [], body: [UInt8]? = nil
    ) async throws -> HTTPReply {
        let request = HTTPMessage(method: method, target: target, headers: headers, body: body)
        return try await self.send(request.bytes(port: self.port, isLast: true))
    }

    func send(_ bytes: [UInt8]) async throws -> HTTPReply {
        try await HTTPReply(parsing: self.exchange(bytes))
    }

    /// Sends requests one behind the other on one connection, without waiting for answers.
    func pipeline(_ requests: [HTTPMessage]) async throws -> [HTTPReply] {
        var bytes: [UInt8] = []
        for (index, request) in requests.enumerated() {
            bytes += request.bytes(port: self.port, isLast: index == requests.count - 1)
        }
        return try await HTTPReply.all(in: self.exchange(bytes))
    }

    /// Asks one thing after another on a connection that stays open as long as `body` runs.
    func keepingAlive(_ body: (_ ask: (_ target: String) async throws -> HTTPReply) async throws -> Void) async throws {
        try await self.converse { say in
            try await body { target in
                let request = HTTPMessage(method: "GET", target: target).bytes(port: self.port, isLast: false)
                let answer = try await say(request) { (try? HTTPReply.all(in: $0))?.isEmpty == false }
                return try HTTPReply.all(in: answer)[0]
            }
        }
    }

    /// Says one thing after another on a connection that stays open as long as `body` runs, and hears each time until the answer is whole.
    func converse(
        _ body: (_ say: @escaping (_ bytes: [UInt8], _ isWhole: ([UInt8]) -> Bool) async throws -> [UInt8]) async throws
            -> Void
    ) async throws {
        try await self.connect().executeThenClose { inbound, outbound in
            var parts = inbound.makeAsyncIterator()
            try await body { bytes, isWhole in
                try await outbound.write(ByteBuffer(bytes: bytes))
                var answer: [UInt8] = []
                while !isWhole(answer) {
                    guard let part = try await parts.next(isolation: #isolation) else {
                        throw HTTPReply.Malformed(bytes: answer)
                    }
                    answer += part.readableBytesView
                }
                return answer
            }
        }
    }

    private func exchange(_ bytes: [UInt8]) async throws -> [UInt8] {
        try await self.connect().executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: bytes))
            var answer: [UInt8] = []
            for try await part in inbound { answer += part.readableBytesView }
            return answer
        }
    }

    private func connect() async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        // On a busy machine a server of one thread may take long to let somebody in.
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.minutes(2))
            .connect(host: "127.0.0.1", port: self.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
    }
}
