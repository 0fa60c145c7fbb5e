import ArgumentParser
import FoundationEssentials
import Logging
import Migrator
import Synchronization

/// What the program says: results and events to standard output, what went wrong to standard error.
final class Output: Sendable {
    let format: OutputFormat
    let terminal = Terminal()
    /// Where nothing can be written over, a statement that runs on is told at growing distances.
    private let nextRunningLine = Mutex(Output.firstRunningLine)

    private static let firstRunningLine = Duration.seconds(10)

    init(format: OutputFormat) {
        self.format = format
    }

    /// Nothing is logged: what matters is said by events and failures.
    static var logger: Logger { Logger(label: "migrate") { _ in SwiftLogNoOpLogHandler() } }

    /// Runs `body`; what it throws is written, and becomes the exit code.
    func reportingFailures(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let failure as MigrationFailure {
            self.terminal.endProgress()
            switch self.format {
            case .text: Terminal.writeError(failure.description)
            case .json: self.write(EventLine(failure))
            }
            throw ExitCode(failure.kind.rawValue)
        }
    }

    func write(_ event: MigrationEvent) {
        if case .running(let running) = event {
            if self.terminal.isInteractive, self.format == .text { return self.terminal.progress(running.text) }
            guard self.isDue(running) else { return }
        } else if case .applying = event {
            self.nextRunningLine.withLock { $0 = Self.firstRunningLine }
        }
        switch self.format {
        case .text:
            if let progress = event.progress { self.terminal.progress(progress) }
            if let text = event.text {
                self.terminal.line(event.colour.map { self.terminal.coloured(text, $0) } ?? text)
            }
        case .json: self.write(EventLine(event))
        }
    }

    /// Whether a line is due: after ten seconds, twenty, forty, and then every minute.
    private func isDue(_ running: RunningStatement) -> Bool {
        self.nextRunningLine.withLock { next in
            if running.elapsed < .seconds(2) { next = Self.firstRunningLine }
            guard running.elapsed >= next else { return false }
            next = running.elapsed + min(next, .seconds(60))
            return true
        }
    }

    /// Writes lines for a person, or one value for a program.
    func write(_ lines: [String], json: some Encodable) {
        switch self.format {
        case .text: for line in lines { self.terminal.line(line) }
        case .json: self.write(json)
        }
    }

    private func write(_ value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        guard let data = try? encoder.encode(value) else { return }
        self.terminal.line(String(decoding: data, as: UTF8.self))
    }
}

extension Output {
    func writeDone(_ files: [MigrationFile], _ verb: String) {
        self.write(
            [files.isEmpty ? "Nothing is pending." : "\(files.count) \(verb)."],
            json: EventLine("done", files: files.map(\.fileName)))
    }

    func writePending(_ files: [MigrationFile]) {
        self.write(
            files.isEmpty ? ["Nothing is pending."] : files.map { "pending \($0.fileName)" },
            json: EventLine("pending", files: files.map(\.fileName)))
    }

    func write(_ status: MigrationStatus) {
        let run = status.run.map { ["running    \($0)"] } ?? []
        self.write(
            run
                + status.lines.map { line in
                    let colour: Terminal.Colour? =
                        switch line.state {
                        case .applied, .baseline: .green
                        case .pending, .outdated: .yellow
                        case .changed, .missing, .unfinished: .red
                        }
                    return colour.map { self.terminal.coloured(line.text, $0) } ?? line.text
                }, json: StatusDocument(status))
    }

    func write(_ verification: Verification, _ drift: Drift) {
        var lines = verification.problems.map(\.description)
        lines += verification.reformatted.map {
            "note: \($0.fileName) has other line ends or another byte order mark than when it was applied"
        }
        if verification.problems.isEmpty { lines.append("\(verification.compared) files are as they were applied.") }
        self.write(lines + drift.lines, json: VerificationDocument(verification, drift))
    }
}
