import Foundation
import Glibc

/// A PostgreSQL server of a test's own, for what would disturb the others: crashes, certificates, standbys.
///
/// It needs PostgreSQL's programs (`initdb`, `pg_ctl`, `pg_basebackup`) on the PATH. As root it runs as the user `postgres`, or `nobody`.
public final class TestCluster: Sendable {
    public enum StopMode: String, Sendable {
        /// Ends every session and writes everything down.
        case fast
        /// A crash: what was not written is lost.
        case immediate
    }

    /// Holds the data, the log and the unix socket.
    public let directory: String
    /// The port of the socket, and of 127.0.0.1 when `listensOnTCP`.
    public let port: UInt16
    private let settings: [String: String]
    private let listensOnTCP: Bool

    private init(directory: String, settings: [String: String], listensOnTCP: Bool) throws {
        self.directory = directory
        self.settings = settings
        self.listensOnTCP = listensOnTCP
        self.port = try Self.freePort()
    }

    /// Makes and starts a server with the superuser `postgres`, who needs no password. `settings` are those of postgresql.conf.
    ///
    /// `files` are put into the data folder, readable by the server alone, before it starts: certificates, `pg_hba.conf`.
    public static func start(
        settings: [String: String] = [:], files: [String: String] = [:], listensOnTCP: Bool = false
    ) async throws -> TestCluster {
        let cluster = try TestCluster(
            directory: try await Self.makeDirectory(), settings: settings, listensOnTCP: listensOnTCP)
        try await Self.run([
            "initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "-D",
            cluster.data,
        ])
        for (name, text) in files {
            let path = cluster.data + "/" + name
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            try cluster.own(path)
        }
        try await cluster.start()
        return cluster
    }

    /// A hot standby of this server, which follows it until it is promoted.
    public func standby() async throws -> TestCluster {
        let standby = try TestCluster(
            directory: try await Self.makeDirectory(), settings: self.settings, listensOnTCP: self.listensOnTCP)
        try await Self.run([
            "pg_basebackup", "--write-recovery-conf", "--no-sync", "--checkpoint=fast", "-h", self.directory, "-p",
            "\(self.port)", "-U", "postgres", "-D", standby.data,
        ])
        try await standby.start()
        return standby
    }

    /// Starts it again after `stop`, and returns when it takes connections.
    public func start() async throws {
        var settings = self.settings
        settings["port"] = "\(self.port)"
        settings["listen_addresses"] = self.listensOnTCP ? "127.0.0.1" : ""
        settings["unix_socket_directories"] = self.directory
        settings["fsync"] = settings["fsync"] ?? "off"
        let options = settings.sorted { $0.key < $1.key }.map { "-c \($0.key)='\($0.value)'" }.joined(separator: " ")
        try await Self.run([
            "pg_ctl", "-D", self.data, "-l", self.directory + "/log", "-o", options, "-w", "-t", "120", "start",
        ])
    }

    public func stop(_ mode: StopMode = .fast) async throws {
        try await Self.run(["pg_ctl", "-D", self.data, "-m", mode.rawValue, "-w", "-t", "120", "stop"])
    }

    /// Makes a standby the server that takes writes, and returns when it does.
    public func promote() async throws {
        try await Self.run(["pg_ctl", "-D", self.data, "-w", "-t", "120", "promote"])
    }

    /// Stops it and removes everything.
    public func remove() async throws {
        try? await self.stop(.immediate)
        try FileManager.default.removeItem(atPath: self.directory)
    }

    /// The way through the unix socket, as superuser.
    public var conninfo: String { "host=\(self.directory) port=\(self.port) user=postgres dbname=postgres" }

    public var data: String { self.directory + "/data" }

    // MARK: Programs

    private static func makeDirectory() async throws -> String {
        let directory = NSTemporaryDirectory() + "pg-" + String(UInt32.random(in: 0 ... .max), radix: 36)
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        if let user = Self.serverUser { chown(directory, user.pw_uid, user.pw_gid) }
        return directory
    }

    private func own(_ path: String) throws {
        chmod(path, 0o600)
        if let user = Self.serverUser { chown(path, user.pw_uid, user.pw_gid) }
    }

    /// Whom the server runs as; nil for the user of this process.
    private static var serverUser: passwd? {
        guard getuid() == 0 else { return nil }
        return (getpwnam("postgres") ?? getpwnam("nobody"))?.pointee
    }

    /// Runs a program to its end. Not by `Process`, which waits for the server too that `pg_ctl` leaves behind.
    private static func run(_ command: [String]) async throws {
        var words = command
        if let user = self.serverUser { words = ["runuser", "-u", String(cString: user.pw_name), "--"] + words }
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
            throw TestClusterError(command: command.joined(separator: " "), output: text)
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
            throw TestClusterError(command: words[0], output: String(cString: strerror(status)))
        }
        return process
    }

    /// A port that nothing listens on now.
    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) | getsockname(descriptor, address, &length)
            }
        }
        guard status == 0 else { throw TestClusterError(command: "bind", output: String(cString: strerror(errno))) }
        return UInt16(bigEndian: address.sin_port)
    }
}

/// A program of PostgreSQL that failed, and what it said.
public struct TestClusterError: Error, CustomStringConvertible {
    public let command: String
    public let output: String

    public var description: String { "\(self.command) failed: \(self.output)" }
}

/// Runs `body` with a server that exists no longer than it.
@discardableResult
public func withTestCluster<R>(
    settings: [String: String] = [:], files: [String: String] = [:], listensOnTCP: Bool = false,
    _ body: (TestCluster) async throws -> R
) async throws -> R {
    let cluster = try await TestCluster.start(settings: settings, files: files, listensOnTCP: listensOnTCP)
    let result: R
    do {
        result = try await body(cluster)
    } catch {
        try? await cluster.remove()
        throw error
    }
    try await cluster.remove()
    return result
}
