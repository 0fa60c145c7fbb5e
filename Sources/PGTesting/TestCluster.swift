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

    /// Ends every session, and returns when it takes connections again.
    public func restart() async throws {
        try await Self.run([
            "pg_ctl", "-D", self.data, "-l", self.directory + "/log", "-m", "fast", "-w", "-t", "120", "restart",
        ])
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

    private static func run(_ command: [String]) async throws {
        guard let user = self.serverUser else { return try await Program.run(command) }
        try await Program.run(["runuser", "-u", String(cString: user.pw_name), "--"] + command)
    }

    /// A port that nothing listens on now.
    private static func freePort() throws -> UInt16 {
        let descriptor = try Sockets.listen(.tcp(port: 0))
        defer { close(descriptor) }
        return Sockets.port(of: descriptor)
    }
}

extension [TestCluster] {
    /// The way to the first of them that serves as `target` says (`target_session_attrs`), as superuser.
    public func conninfo(target: String) -> String {
        let (hosts, ports) = (self.map(\.directory), self.map { "\($0.port)" })
        return
            "host=\(hosts.joined(separator: ",")) port=\(ports.joined(separator: ",")) user=postgres dbname=postgres "
            + "target_session_attrs=\(target)"
    }
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
