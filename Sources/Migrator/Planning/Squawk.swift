import FoundationEssentials
import Subprocess

/// What the linter squawk says of a place in a file.
public struct SquawkFinding: Sendable, Hashable, Codable {
    public let rule: String
    public let line: Int
    public let column: Int
    public let message: String
    /// What to do instead; nil when squawk does not say.
    public let help: String?
}

/// The linter squawk (squawkhq.com), when it is installed.
enum Squawk {
    /// As squawk writes them, with places from 0.
    private struct Line: Decodable {
        let line: Int
        let column: Int
        let message: String
        let help: String?
        let rule: String

        enum CodingKeys: String, CodingKey {
            case line, column, message, help
            case rule = "rule_name"
        }
    }

    /// What it says of the files, by their names; nil when squawk is not on the `PATH`.
    ///
    /// Throws `MigrationFailure` when squawk cannot be understood.
    static func findings(
        in scripts: [MigrationScript], serverVersion: Int
    ) async throws -> [String: [SquawkFinding]]? {
        // Not by standard input: what squawk reads in the file is what is applied, also when it stops reading early.
        let folder = FileManager.default.temporaryDirectory.appending(path: "migrate-squawk-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        var findings: [String: [SquawkFinding]] = [:]
        for script in scripts {
            let path = folder.appending(path: script.file.fileName)
            do {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                try Data(script.file.source.text.utf8).write(to: path)
            } catch {
                throw MigrationFailure(.failed, "\(folder.path) cannot be written, so nothing was linted")
            }
            guard let lines = try await self.run(path.path, script, serverVersion) else { return nil }
            findings[script.file.fileName] = lines.map { line in
                SquawkFinding(
                    rule: line.rule, line: line.line + 1, column: line.column + 1, message: line.message,
                    help: line.help)
            }
        }
        return findings
    }

    /// What migrate sees to itself: timeouts are set, and a file is never run again over what it has done.
    private static let settledRules =
        "require-lock-timeout,require-statement-timeout,require-timeout-settings,prefer-robust-stmts"

    private static func run(
        _ path: String, _ script: MigrationScript, _ serverVersion: Int
    ) async throws -> [Line]? {
        var arguments = [
            path, "--reporter", "json", "--pg-version",
            "\(serverVersion / 10000).\(serverVersion % 10000)", "--exclude", self.settledRules,
        ]
        if !script.directives.isWithoutTransaction { arguments.append("--assume-in-transaction") }
        do {
            let result = try await Subprocess.run(
                .name("squawk"), arguments: Arguments(arguments), environment: Self.environment,
                output: .string(limit: Self.outputLimit))
            // It ends with 1 when it has found something.
            return try JSONDecoder().decode([Line].self, from: Data(result.standardOutput.utf8))
        } catch let error as SubprocessError where error.code == .executableNotFound {
            return nil
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw MigrationFailure(.failed, "squawk cannot be understood, so nothing was linted: \(error)")
        }
    }

    /// Nothing of the connection's secrets.
    private static var environment: Environment {
        .custom(["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""])
    }

    private static let outputLimit = 16 * 1024 * 1024
}
