import Foundation
import PGClient
import PGTesting

/// Tells into which statements psql splits files: the server repeats to psql what it logs by `log_statement=all`.
struct PsqlOracle {
    /// Returns for each text the statements that psql sent of it, without those that hold nothing but comments.
    static func statements(of texts: [String]) async throws -> [[String]] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "psql-oracle-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var arguments: [String] = []
        for (number, text) in texts.enumerated() {
            let file = folder.appending(path: "\(number).sql")
            try Data(text.utf8).write(to: file)
            // A file may leave settings behind, which would decide how psql reads the next one.
            arguments += ["--file", file.path, "--command", "RESET ALL"]
        }
        let messages = folder.appending(path: "messages")
        try await withTestDatabase { database in
            try await PGConnection.withConnection(database.configuration, logger: Scratch.logger) { connection in
                _ = try await connection.simpleQuery(
                    unsafeSQL: "CREATE TABLE t (a text, b text); CREATE TABLE u (a text)")
            }
            try await Self.psql(["--dbname", database.conninfo] + arguments, messagesTo: messages)
        }
        return Self.parse(
            try String(contentsOf: messages, encoding: .utf8), folder: folder.path, count: texts.count)
    }

    private static func psql(_ arguments: [String], messagesTo messages: URL) async throws {
        _ = FileManager.default.createFile(atPath: messages.path, contents: nil)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["psql", "--no-psqlrc", "--quiet", "--set", "VERBOSITY=terse", "--set", "SHOW_CONTEXT=never"] + arguments
        var environment = ProcessInfo.processInfo.environment
        environment["PGOPTIONS"] = "-c log_statement=all -c client_min_messages=log"
        environment["PGCLIENTENCODING"] = "UTF8"
        environment["LC_ALL"] = "C"
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = try FileHandle(forWritingTo: messages)
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
    }

    /// A message begins with `psql:FILE:LINE: LOG:  statement: `; those for `--command` have no file.
    private static func parse(_ messages: String, folder: String, count: Int) -> [[String]] {
        var result: [[String]] = Array(repeating: [], count: count)
        let prefix = "LOG:  statement: "
        var current: (file: Int, text: String)?
        func finish() {
            guard let current else { return }
            if Self.isMoreThanComments(current.text) { result[current.file].append(current.text) }
        }
        for line in messages.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("psql:" + folder), let start = line.firstRange(of: ": "),
                let file = Int(line[..<start.lowerBound].dropFirst(folder.count + 6).prefix { $0 != "." })
            {
                finish()
                let message = line[start.upperBound...]
                current = message.hasPrefix(prefix) ? (file, String(message.dropFirst(prefix.count))) : nil
            } else if line == prefix + "RESET ALL" {
                finish()
                current = nil
            } else {
                current?.text += "\n" + line
            }
        }
        finish()
        return result
    }

    private static func isMoreThanComments(_ text: String) -> Bool {
        var rest = Substring(text)
        var depth = 0
        while let first = rest.first {
            if rest.hasPrefix("/*") {
                depth += 1
                rest = rest.dropFirst(2)
            } else if depth > 0, rest.hasPrefix("*/") {
                depth -= 1
                rest = rest.dropFirst(2)
            } else if depth == 0, rest.hasPrefix("--") {
                rest = rest.drop { $0 != "\n" }
            } else if depth > 0 || first.isWhitespace || first == ";" {
                rest = rest.dropFirst()
            } else {
                return true
            }
        }
        return false
    }
}
