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
        let file: String
        let line: Int
        let column: Int
        let message: String
        let help: String?
        let rule: String

        enum CodingKeys: String, CodingKey {
            case file, line, column, message, help
            case rule = "rule_name"
        }
    }

    /// What it says of the files, by their names; nil when squawk is not on the `PATH`.
    ///
    /// Throws `MigrationFailure` when squawk cannot be understood.
    static func findings(
        in scripts: [MigrationScript], serverVersion: Int
    ) async throws -> [String: [SquawkFinding]]? {
        var findings: [String: [SquawkFinding]] = [:]
        for script in scripts {
            guard let lines = try await self.run(script, serverVersion) else { return nil }
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

    private static func run(_ script: MigrationScript, _ serverVersion: Int) async throws -> [Line]? {
        var arguments = [
            "--reporter", "json", "--stdin-filepath", script.file.fileName, "--pg-version",
            "\(serverVersion / 10000).\(serverVersion % 10000)", "--exclude", self.settledRules,
        ]
        if !script.directives.isWithoutTransaction { arguments.append("--assume-in-transaction") }
        do {
            let result = try await Subprocess.run(
                .name("squawk"), arguments: Arguments(arguments), environment: Self.environment,
                input: .string(script.file.source.text), output: .string(limit: Self.outputLimit))
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
