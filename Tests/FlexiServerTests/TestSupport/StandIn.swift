import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A program in the place of a neighbour: listens on a unix socket, or on a port of the loopback address, and does with each
/// connection what a test says.
final class StandIn: Sendable {
    enum Reply: Sendable {
        /// Says this and closes the connection.
        case answer(String)
        /// Says this, and leaves it to the client to close.
        case answerAndStay(String)
        /// Closes the connection without a word.
        case hangUp
        /// Says nothing until the client closes.
        case silence
    }

    enum Address: Sendable {
        case unixSocket(String)
        case loopback
    }

    struct Counts: Sendable {
        /// What came in, a connection each.
        var commands: [String] = []
        var connected = 0
        var mostConnected = 0
    }

    /// On the loopback address; 0 on a unix socket.
    let port: Int
    private let state = Mutex(Counts())

    var counts: Counts { self.state.withLock { $0 } }
    var commands: [String] { self.counts.commands }

    private init(port: Int) {
        self.port = port
    }

    /// Listens for the length of `body`. `reply` is given what the first read of a connection brings.
    static func with<Result>(
        _ address: Address, reply: @escaping @Sendable (String) async -> Reply,
        _ body: (StandIn) async throws -> Result
    ) async throws -> Result {
        // One loop for all: NIO ends the process when a connection, accepted on another, comes just as the listener goes.
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton.next())
        @Sendable func wrap(_ channel: any Channel) -> EventLoopFuture<NIOAsyncChannel<ByteBuffer, ByteBuffer>> {
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        let server =
            switch address {
            case .unixSocket(let path):
                try await bootstrap.bind(
                    unixDomainSocketPath: path, cleanupExistingSocketFile: true, childChannelInitializer: wrap)
            case .loopback: try await bootstrap.bind(host: "127.0.0.1", port: 0, childChannelInitializer: wrap)
            }
        let standIn = StandIn(port: server.channel.localAddress?.port ?? 0)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try await server.executeThenClose { connections in
                    try await withThrowingDiscardingTaskGroup { group in
                        for try await connection in connections {
                            // A client that is gone in the middle is what some tests are about.
                            group.addTask { try? await standIn.serve(connection, reply) }
                        }
                        group.cancelAll()
                    }
                }
            }
            let result: Swift.Result<Result, any Error>
            do {
                result = .success(try await body(standIn))
            } catch {
                result = .failure(error)
            }
            // Whoever has been accepted is taken all the same, for the reason above.
            server.channel.close(promise: nil)
            try await tasks.waitForAll()
            return try result.get()
        }
    }

    private func serve(
        _ channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ reply: @Sendable (String) async -> Reply
    ) async throws {
        self.state.withLock { state in
            state.connected += 1
            state.mostConnected = max(state.connected, state.mostConnected)
        }
        defer { self.state.withLock { $0.connected -= 1 } }
        try await channel.executeThenClose { inbound, outbound in
            var parts = inbound.makeAsyncIterator()
            guard let command = try await parts.next().map({ String(buffer: $0) }) else { return }
            self.state.withLock { $0.commands.append(command) }
            switch await reply(command) {
            // Closing takes back what the client has not read so far, unless this waits for it.
            case .answer(let text): try await channel.channel.writeAndFlush(ByteBuffer(string: text)).get()
            case .answerAndStay(let text):
                try await outbound.write(ByteBuffer(string: text))
                while try await parts.next() != nil {}
            case .hangUp: return
            case .silence: while try await parts.next() != nil {}
            }
        }
    }
}

/// Lends a folder that is removed afterwards. Its path is short, as those of sockets have to be.
func withFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "fs-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}

/// Holds callers until it is opened.
final class TestGate: Sendable {
    private let opened: AsyncStream<Never>
    private let opener: AsyncStream<Never>.Continuation

    init() {
        (self.opened, self.opener) = AsyncStream.makeStream()
    }

    func open() {
        self.opener.finish()
    }

    /// For one caller at a time.
    func wait() async {
        for await _ in self.opened {}
    }
}

/// Returns once the condition holds, which is looked at again and again with the processor free in between.
func until(_ condition: () throws -> Bool) async throws {
    while try !condition() { try await Task.sleep(for: .milliseconds(5)) }
}
