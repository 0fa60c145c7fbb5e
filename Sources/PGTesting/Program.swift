import Foundation
import Glibc

/// Runs PostgreSQL's programs, and others that a test needs.
package enum Program {
    /// Runs a program to its end; throws what it said when it fails. Not by `Process`, which waits for the server too that `pg_ctl` leaves behind.
    package static func run(_ words: [String]) async throws {
        let output = NSTemporaryDirectory() + "pg-output-" + String(UInt64.random(in: 0 ... .max), radix: 36)
        defer { unlink(output) }
        let process = try Self.spawn(words, output: output)
        let status = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var status: Int32 = 0
                while waitpid(process, &status, 0) == -1 && errno == EINTR {}
                continuation.resume(returning: status)
            }
        }
        guard status == 0 else {
            let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
            throw ProgramError(command: words.joined(separator: " "), output: text)
        }
    }

    private static func spawn(_ words: [String], output: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
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
        return process
    }
}

/// A program that failed, and what it said.
public struct ProgramError: Error, CustomStringConvertible {
    public let command: String
    public let output: String

    public var description: String { "\(self.command) failed: \(self.output)" }
}
