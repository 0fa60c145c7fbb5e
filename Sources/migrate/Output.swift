import ArgumentParser
import FoundationEssentials
import Glibc
import Logging
import Migrator

/// What the program says: results and events to standard output, what went wrong to standard error.
struct Output: Sendable {
    let format: OutputFormat

    /// Nothing is logged: what matters is said by events and failures.
    static var logger: Logger { Logger(label: "migrate") { _ in SwiftLogNoOpLogHandler() } }

    /// Runs `body`; what it throws is written, and becomes the exit code.
    func reportingFailures(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let failure as MigrationFailure {
            switch self.format {
            case .text: Self.writeError(failure.description)
            case .json: self.write(EventLine(failure))
            }
            throw ExitCode(failure.kind.rawValue)
        }
    }

    func write(_ event: MigrationEvent) {
        switch self.format {
        case .text: event.text.map { Self.write($0 + "\n", to: STDOUT_FILENO) }
        case .json: self.write(EventLine(event))
        }
    }

    func writeApplied(_ files: [MigrationFile]) {
        switch self.format {
        case .text:
            self.line(files.isEmpty ? "Nothing is pending." : "\(files.count) applied.")
        case .json:
            self.write(EventLine("done", files: files.map(\.fileName)))
        }
    }

    func writePending(_ files: [MigrationFile]) {
        switch self.format {
        case .text:
            for file in files { self.line("pending \(file.fileName)") }
            if files.isEmpty { self.line("Nothing is pending.") }
        case .json:
            self.write(EventLine("pending", files: files.map(\.fileName)))
        }
    }

    func write(_ status: MigrationStatus) {
        switch self.format {
        case .text:
            for line in status.lines { self.line(line.text) }
        case .json:
            self.write(StatusDocument(status))
        }
    }

    func write(_ verification: Verification) {
        switch self.format {
        case .text:
            for problem in verification.problems { self.line(problem.description) }
            for file in verification.reformatted {
                self.line(
                    "note: \(file.fileName) has other line ends or another byte order mark than when it was applied")
            }
            if verification.problems.isEmpty {
                self.line("\(verification.compared) files are as they were applied.")
            }
        case .json:
            self.write(VerificationDocument(verification))
        }
    }

    static func writeError(_ text: String) {
        self.write(text + "\n", to: STDERR_FILENO)
    }

    private func line(_ text: String) {
        Self.write(text + "\n", to: STDOUT_FILENO)
    }

    private func write(_ value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        guard let data = try? encoder.encode(value) else { return }
        self.line(String(decoding: data, as: UTF8.self))
    }

    /// What a closed pipe or a full disk does not take is lost: there is nobody left to tell.
    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            }
        }
    }
}
