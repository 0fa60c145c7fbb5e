import Foundation
import Glibc
import Synchronization

/// Runs PostgreSQL's programs, and others that a test needs.
package enum Program {
    /// Runs a program to its end; throws what it said when it fails.
    package static func run(_ words: [String]) async throws {
        let output = NSTemporaryDirectory() + "pg-output-" + String(UInt64.random(in: 0 ... .max), radix: 36)
        defer { unlink(output) }
        try await Self.start(words, output: output).succeed()
    }

    /// Starts a program that reads nothing and appends what it says to the file `output`.
    ///
    /// Not by `Process`, which waits for the server too that `pg_ctl` leaves behind.
    static func start(_ words: [String], output: String) throws -> RunningProgram {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // A server that stays behind must not keep the sockets of this process open.
        let closing = #"cd /; for f in /proc/$$/fd/*; do n=${f##*/}; ((n <= 2)) || eval "exec $n>&-"; done; exec "$@""#
        let arguments = (["bash", "-c", closing, "bash"] + words).map { strdup($0) }
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        let status = posix_spawnp(&process, "bash", &actions, nil, arguments + [nil], environ)
        guard status == 0 else {
            throw ProgramError(command: words[0], output: String(cString: strerror(status)))
        }
        return RunningProgram(process, words, output: output)
    }
}

/// A child of this process, and what became of it.
final class RunningProgram: Sendable {
    let id: pid_t
    private let words: [String]
    private let output: String
    private let status = Atomic(Int32.min)

    fileprivate init(_ id: pid_t, _ words: [String], output: String) {
        self.id = id
        self.words = words
        self.output = output
    }

    var isRunning: Bool { self.poll() == nil }

    func end() async throws {
        while self.isRunning { try await Task.sleep(for: .milliseconds(10)) }
    }

    /// Returns when it has ended well; throws what it said when it has not.
    func succeed() async throws {
        try await self.end()
        guard self.poll() == 0 else { throw self.failure }
    }

    var failure: ProgramError {
        ProgramError(
            command: self.words.joined(separator: " "),
            output: (try? String(contentsOfFile: self.output, encoding: .utf8)) ?? "")
    }

    /// As `waitpid` tells it, once; nil while it runs.
    private func poll() -> Int32? {
        var status: Int32 = 0
        if waitpid(self.id, &status, WNOHANG) == self.id { self.status.store(status, ordering: .releasing) }
        let known = self.status.load(ordering: .acquiring)
        return known == .min ? nil : known
    }
}

/// A program that failed, and what it said.
public struct ProgramError: Error, CustomStringConvertible {
    public let command: String
    public let output: String

    public var description: String { "\(self.command) failed: \(self.output)" }
}
