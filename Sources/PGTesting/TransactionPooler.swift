import Foundation
import Glibc
public import PGClient

/// Runs `body` with a configuration that goes to the server of `configuration` through PgBouncer, which lends two connections by transaction.
///
/// PgBouncer passes over the `ignored` parameters that a session begins with, and refuses all but a few others.
public func withTransactionPooler<R>(
    to configuration: PGConfiguration, ignored: String = "options",
    _ body: (PGConfiguration) async throws -> R
) async throws -> R {
    let host = try configuration.firstHost()
    // Who may enter the folder of the server's socket.
    let owner =
        host.name.hasPrefix("/")
        ? try FileManager.default.attributesOfItem(atPath: host.name)[.ownerAccountName] as? String : nil
    let program = try UnprivilegedProgram(owner: owner == "root" ? nil : owner)
    defer { program.remove() }
    try program.write(
        "pgbouncer.ini",
        """
        [databases]
        * = \(try configuration.conninfo(replacing: [:]))
        [pgbouncer]
        listen_addr =
        unix_socket_dir = \(program.folder)
        listen_port = 6432
        pidfile = \(program.folder)/pid
        auth_type = any
        pool_mode = transaction
        default_pool_size = 2
        ignore_startup_parameters = \(ignored)
        """)
    let process = try program.start(["pgbouncer", program.folder + "/pgbouncer.ini"])
    func end() async throws {
        // Between this process and PgBouncer may stand the program that changed the user.
        let pid = try? String(contentsOfFile: program.folder + "/pid", encoding: .utf8)
        kill(
            pid.flatMap { pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines)) } ?? process.id,
            SIGKILL)
        try await process.end()
    }
    do {
        // The file of the socket is there before anybody listens to it.
        while !Sockets.accepts(.unix(path: program.folder + "/.s.PGSQL.6432")) {
            guard process.isRunning else { throw process.failure }
            try await Task.sleep(for: .milliseconds(10))
        }
        var pooled = PGConfiguration(
            try configuration.conninfo(replacing: ["host": program.folder, "hostaddr": "", "port": "6432"]))
        pooled.pool = configuration.pool
        pooled.connectTimeout = configuration.connectTimeout
        pooled.phaseTimeouts = configuration.phaseTimeouts
        let result = try await body(pooled)
        try await end()
        return result
    } catch {
        try? await end()
        throw error
    }
}
