import Foundation
import PGClient
import PGTesting
import Synchronization

/// The FlexiServer program, run as a process of its own.
final class ServerProgram: Sendable {
    struct Result: Sendable {
        let status: Int32
        let output: String
        let error: String
    }

    private let process: Process
    private let output = Collected()
    private let error = Collected()
    private let ended: AsyncStream<Int32>

    private init(_ arguments: [String], environment: [String: String], input: String) throws {
        let process = Process()
        process.executableURL = Self.location
        process.arguments = arguments
        process.environment = environment
        let (ended, end) = AsyncStream<Int32>.makeStream()
        self.ended = ended
        process.terminationHandler = { process in
            end.yield(process.terminationStatus)
            end.finish()
        }
        let (standardInput, standardOutput, standardError) = (Pipe(), Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = standardOutput
        process.standardError = standardError
        self.process = process
        self.output.read(standardOutput)
        self.error.read(standardError)
        try process.run()
        try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try standardInput.fileHandleForWriting.close()
    }

    static func start(_ arguments: [String], environment: [String: String]) throws -> ServerProgram {
        try ServerProgram(arguments, environment: environment, input: "")
    }

    static func run(
        _ arguments: [String], environment: [String: String], input: String = ""
    ) async throws -> Result {
        try await ServerProgram(arguments, environment: environment, input: input).wait()
    }

    /// What the program needs to use the database as the server does.
    static func environment(_ database: TestDatabase) -> [String: String] {
        [
            "FLEXI_SECRET_KEY": TestServer.secretKey, "PGOPTIONS": "-c role=flexi_app",
            // A busy machine may take its time.
            "DATABASE_URL": "\(database.conninfo) connect_timeout=60",
        ]
    }

    func terminate() {
        self.process.terminate()
    }

    func wait() async -> Result {
        var iterator = self.ended.makeAsyncIterator()
        let status = await iterator.next() ?? -1
        return await Result(status: status, output: self.output.whole(), error: self.error.whole())
    }

    /// The port that a serving program has chosen, as it logs it.
    func port() async throws -> Int {
        try await self.find { log in
            log.firstMatch(of: #/listening on [^:]+:(\d+)/#).flatMap { Int($0.output.1) }
        }
    }

    /// Waits until `find` finds something in what the program has logged.
    func find<Found>(_ find: (String) -> Found?) async throws -> Found {
        if let found = find(self.error.soFar) { return found }
        for await log in self.error.growing {
            if let found = find(log) { return found }
        }
        throw Silent(error: await self.error.whole())
    }

    struct Silent: Error {
        let error: String
    }

    /// Beside the bundle of tests that runs.
    private static let location: URL = {
        let bundle =
            Bundle.allBundles.map(\.bundleURL).first { $0.pathExtension == "xctest" }
            ?? URL(filePath: CommandLine.arguments[0])
        return bundle.deletingLastPathComponent().appending(path: "FlexiServer")
    }()
}

/// What came out of a pipe so far.
private final class Collected: Sendable {
    /// The whole text after each piece of it; ends with the pipe.
    let growing: AsyncStream<String>
    private let grow: AsyncStream<String>.Continuation
    private let text = Mutex("")
    private let ended: AsyncStream<Void>
    private let end: AsyncStream<Void>.Continuation

    init() {
        (self.growing, self.grow) = AsyncStream.makeStream()
        (self.ended, self.end) = AsyncStream.makeStream()
    }

    var soFar: String { self.text.withLock { $0 } }

    func read(_ pipe: Pipe) {
        // A thread of its own, since reading blocks.
        Thread.detachNewThread {
            while case let data = pipe.fileHandleForReading.availableData, !data.isEmpty {
                self.grow.yield(
                    self.text.withLock { text in
                        text += String(decoding: data, as: UTF8.self)
                        return text
                    })
            }
            self.grow.finish()
            self.end.finish()
        }
    }

    func whole() async -> String {
        for await _ in self.ended {}
        return self.soFar
    }
}
