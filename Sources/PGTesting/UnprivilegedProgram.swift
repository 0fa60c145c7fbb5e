import Foundation
import Glibc

/// Servers refuse to run as root: for root they are run as somebody else, who owns the folder they work in.
struct UnprivilegedProgram {
    /// A folder that only the user may enter; short, since the path of a socket may have 107 bytes only.
    let folder: String
    private let user: String?

    /// Makes the folder, for `owner` or for the user of PostgreSQL's packages.
    init(owner: String? = nil) throws {
        self.folder = "/tmp/pgt-" + String(UInt64.random(in: 0 ... .max), radix: 36)
        try FileManager.default.createDirectory(
            atPath: self.folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        guard getuid() == 0 else {
            self.user = nil
            return
        }
        let user = owner ?? (getpwnam("postgres") == nil ? "nobody" : "postgres")
        self.user = user
        try FileManager.default.setAttributes([.ownerAccountName: user], ofItemAtPath: self.folder)
    }

    func write(_ name: String, _ text: String) throws {
        let path = self.folder + "/" + name
        try Data(text.utf8).write(to: URL(filePath: path))
        if let user { try FileManager.default.setAttributes([.ownerAccountName: user], ofItemAtPath: path) }
    }

    /// Starts a program that is found on `PATH`, and in the folders where servers are kept.
    func start(_ arguments: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin:/sbin"
        let change = self.user.map { ["runuser", "-u", $0, "--", "env"] } ?? []
        process.arguments = ["PATH=" + folders] + change + ["PATH=" + folders] + arguments
        process.currentDirectoryURL = URL(filePath: "/")
        process.standardInput = FileHandle.nullDevice
        let log = self.folder + "/log"
        if !FileManager.default.fileExists(atPath: log) { try self.write("log", "") }
        let output = try FileHandle(forWritingTo: URL(filePath: log))
        try output.seekToEnd()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        return process
    }

    func run(_ arguments: [String]) async throws {
        let process = try self.start(arguments)
        while process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
        guard process.terminationStatus == 0 else {
            throw ProgramFailed(arguments: arguments, status: process.terminationStatus, log: self.log)
        }
    }

    var log: String { (try? String(contentsOfFile: self.folder + "/log", encoding: .utf8)) ?? "" }

    func remove() {
        try? FileManager.default.removeItem(atPath: self.folder)
    }
}

struct ProgramFailed: Error {
    let arguments: [String]
    let status: Int32
    let log: String
}
