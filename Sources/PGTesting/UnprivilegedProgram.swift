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
    func start(_ arguments: [String]) throws -> RunningProgram {
        let path = "PATH=" + (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin:/sbin"
        let change = self.user.map { ["runuser", "-u", $0, "--", "env", path] } ?? []
        return try Program.start(["env", path] + change + arguments, output: self.folder + "/log")
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: self.folder)
    }
}
