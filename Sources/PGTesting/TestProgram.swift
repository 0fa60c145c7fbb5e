public import Foundation
import Glibc
import Synchronization

/// A program of this package, run as a process of its own.
public final class TestProgram: Sendable {
    public struct Result: Sendable {
        /// The exit status, or the number of the signal that ended it.
        public let status: Int32
        public let output: String
        public let error: String
    }

    public enum Stream: Sendable {
        case output
        case error
    }

    private let process: Process
    private let output = Collected()
    private let error = Collected()
    private let ended: AsyncStream<Int32>

    /// Starts the product `name`, which stands beside the bundle of tests that runs. `input` is all that it is given to read.
    public init(_ name: String, _ arguments: [String], environment: [String: String], input: String = "") throws {
        let process = Process()
        process.executableURL = Self.location(of: name)
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

    /// Asks the program to end.
    public func terminate() {
        self.process.terminate()
    }

    public func send(_ signal: Int32) {
        kill(self.process.processIdentifier, signal)
    }

    /// Returns when the program has ended and closed what it writes to.
    public func wait() async -> Result {
        var iterator = self.ended.makeAsyncIterator()
        let status = await iterator.next() ?? -1
        return await Result(status: status, output: self.output.whole(), error: self.error.whole())
    }

    /// Waits until `find` finds something in what the program has written. Throws `Silent` when it has ended without that.
    public func find<Found>(in stream: Stream = .error, _ find: (String) -> Found?) async throws -> Found {
        let collected = stream == .error ? self.error : self.output
        if let found = find(collected.soFar) { return found }
        for await text in collected.growing {
            if let found = find(text) { return found }
        }
        throw Silent(text: await collected.whole())
    }

    /// The program ended without writing what was waited for.
    public struct Silent: Error {
        public let text: String
    }

    public static func location(of name: String) -> URL {
        let bundle =
            Bundle.allBundles.map(\.bundleURL).first { $0.pathExtension == "xctest" }
            ?? URL(filePath: CommandLine.arguments[0])
        return bundle.deletingLastPathComponent().appending(path: name)
    }
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
