import Foundation
import PGTesting
import Testing

/// Runs what docs/migrations.md shows: files that are named above a block of SQL are written, and each line of a console block that
/// begins with `$` is run by one shell, on a server of its own.
struct MigrationsPageTests {
    private enum Step {
        case file(path: String, text: String)
        case command(String, output: String)
    }

    private static let page = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../docs/migrations.md").standardized

    @Test(.timeLimit(.minutes(10)))
    func whatThePageShowsIsWhatIsPrinted() async throws {
        let steps = try self.steps(String(contentsOf: Self.page, encoding: .utf8))
        let commands = steps.compactMap {
            if case .command(let command, let output) = $0 { (command, output) } else { nil }
        }
        #expect(commands.count > 20)
        let printed = try await self.run(steps)
        try #require(printed.count == commands.count)
        for ((command, output), actual) in zip(commands, printed) {
            #expect(self.normalised(actual) == self.normalised(output), "\(command)\n\(actual)")
        }
    }

    private func steps(_ text: String) -> [Step] {
        var steps: [Step] = []
        var path: String?
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        while let line = lines.popFirst() {
            if line.hasPrefix("```") {
                let block = lines.prefix { $0 != "```" }
                lines = lines.dropFirst(block.count + 1)
                if line == "```sql", let file = path {
                    steps.append(.file(path: file, text: block.joined(separator: "\n") + "\n"))
                } else if line == "```console" {
                    steps += self.commands(block)
                }
                path = nil
            } else if let match = line.wholeMatch(of: #/.*`(migrations/[A-Za-z0-9_]+\.sql)`.*:/#) {
                path = String(match.1)
            }
        }
        return steps
    }

    private func commands(_ block: ArraySlice<Substring>) -> [Step] {
        var steps: [Step] = []
        for line in block {
            if line.hasPrefix("$ ") {
                steps.append(.command(String(line.dropFirst(2)), output: ""))
            } else if case .command(let command, let output) = steps.popLast() {
                steps.append(.command(command, output: output + line + "\n"))
            }
        }
        return steps
    }

    /// Returns what each command has printed.
    private func run(_ steps: [Step]) async throws -> [String] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "page-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let marker = "--8<-- \(UUID().uuidString)"
        let script = steps.map { step in
            switch step {
            case .file(let path, let text): "cat >'\(path)' <<'\(marker)'\n\(text)\(marker)\n"
            case .command(let command, _): "echo '\(marker)'\n\(command)\n"
            }
        }
        var output = ""
        try await withTemporaryServer { server in
            try server.start()
            let process = Process()
            process.executableURL = URL(filePath: "/bin/bash")
            process.arguments = [
                "-c", "exec 2>&1 </dev/null\nPGDATABASE=postgres migrate wait --timeout 2m\n" + script.joined(),
            ]
            process.currentDirectoryURL = folder
            let programs = TestProgram.location(of: "migrate").deletingLastPathComponent().path
            process.environment = [
                "PATH": programs + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? ""), "PGHOST": server.host,
                "PGUSER": "postgres", "TZ": "UTC", "LC_ALL": "C.UTF-8",
            ]
            let log = folder.appending(path: "output")
            try Data().write(to: log)
            process.standardOutput = try FileHandle(forWritingTo: log)
            let (ended, end) = AsyncStream<Void>.makeStream()
            process.terminationHandler = { _ in end.finish() }
            try process.run()
            for await _ in ended {}
            output = try String(contentsOf: log, encoding: .utf8)
        }
        return output.components(separatedBy: marker + "\n").dropFirst().map { String($0) }
    }

    /// What differs from run to run, made the same.
    private func normalised(_ text: String) -> String {
        text.replacing(#/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/#, with: "TIME").replacing(#/\d+ ms/#, with: "N ms")
            .replacing(#/pid \d+/#, with: "pid N").replacing(#/since \d+ s/#, with: "since N s")
            .replacing(#/PostgreSQL [0-9.]+[^,]*,/#, with: "PostgreSQL VERSION,").replacing(#/\d+ [kM]B/#, with: "SIZE")
    }
}
