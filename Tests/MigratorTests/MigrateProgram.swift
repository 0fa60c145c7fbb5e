import Foundation
import PGTesting
import Testing

/// The program `migrate`, with a directory of files and a database.
struct MigrateProgram {
    let directory: String
    let environment: [String: String]

    static func with(_ scratch: Scratch, _ body: (MigrateProgram) async throws -> Void) async throws {
        try await Self.with(conninfo: scratch.database.conninfo, body)
    }

    static func with(conninfo: String, _ body: (MigrateProgram) async throws -> Void) async throws {
        let directory = NSTemporaryDirectory() + "migrations-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await body(MigrateProgram(directory: directory, environment: ["DATABASE_URL": conninfo]))
    }

    func write(_ name: String, _ sql: String) throws {
        try Data(sql.utf8).write(to: URL(filePath: self.directory + "/" + name))
    }

    func start(_ command: String, _ arguments: [String] = [], environment: [String: String] = [:]) throws -> TestProgram
    {
        let files = ["doctor", "--help"].contains(command) ? [] : ["--directory", self.directory]
        return try TestProgram(
            "migrate", [command] + arguments + files, environment: self.environment.merging(environment) { $1 })
    }

    func run(
        _ command: String, _ arguments: String..., environment: [String: String] = [:]
    ) async throws -> TestProgram.Result {
        try await self.start(command, arguments, environment: environment).wait()
    }
}

extension TestProgram.Result {
    /// The lines of the output, each an object of JSON.
    func events() throws -> [[String: Any]] {
        try self.output.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        }
    }
}
