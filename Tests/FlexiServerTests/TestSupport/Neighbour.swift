import Foundation
import Synchronization

/// A program of Tests/Neighbours that plays one of the server's neighbours. It prints a line of JSON with its port when it listens, and one
/// for everything that it takes.
final class Neighbour: Sendable {
    private let process = Process()
    private let input = Pipe()
    private let lines = Mutex<[Data]>([])
    /// Where it listens on 127.0.0.1.
    private let listening = Mutex(0)

    var port: Int { self.listening.withLock { $0 } }

    /// What it has taken so far, those values of it that are texts.
    var taken: [[String: String]] {
        self.lines.withLock { $0 }.compactMap { line in
            (try? JSONSerialization.jsonObject(with: line) as? [String: Any])?.compactMapValues { $0 as? String }
        }
    }

    /// Runs the program for the length of `body`.
    static func with<Result>(
        _ script: String, _ arguments: [String] = [], environment: [String: String] = [:],
        _ body: (Neighbour) async throws -> Result
    ) async throws -> Result {
        let neighbour = Neighbour()
        let ready = try neighbour.start(script, arguments, environment)
        // SIGTERM may be ignored, as a program inherits it from one that handles signals.
        defer { kill(neighbour.process.processIdentifier, SIGKILL) }
        for await port in ready { neighbour.listening.withLock { $0 = port } }
        guard neighbour.port != 0 else { throw DidNotStart(script: script) }
        return try await body(neighbour)
    }

    struct DidNotStart: Error {
        let script: String
    }

    private func start(
        _ script: String, _ arguments: [String], _ environment: [String: String]
    ) throws -> AsyncStream<Int> {
        let output = Pipe()
        // Debian's own Python is the one that its packages are installed for.
        self.process.executableURL = URL(filePath: "/usr/bin/python3")
        self.process.arguments = [Migrations.root.appending(path: "Tests/Neighbours/\(script)").path()] + arguments
        self.process.environment = environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { given, _ in given }
        // Ends the program when this process does, however that may be.
        self.process.standardInput = self.input
        self.process.standardOutput = output
        try self.process.run()
        let (ready, signal) = AsyncStream<Int>.makeStream()
        // A thread of its own, since reading blocks.
        Thread.detachNewThread {
            var rest = Data()
            while case let data = output.fileHandleForReading.availableData, !data.isEmpty {
                rest += data
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = Data(rest[rest.startIndex..<end])
                    rest = Data(rest[rest.index(after: end)...])
                    if let port = (try? JSONSerialization.jsonObject(with: line) as? [String: Any])?["port"] as? Int {
                        signal.yield(port)
                        signal.finish()
                    } else {
                        self.lines.withLock { $0.append(line) }
                    }
                }
            }
            signal.finish()
        }
        return ready
    }
}
