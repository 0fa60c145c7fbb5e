import Foundation
import Glibc

/// A PostgreSQL server of a test's own, which may be stopped, crashed and promoted. It listens on a Unix socket only.
// `process` is touched by the one task of the test that owns the server.
public final class TemporaryServer: @unchecked Sendable {
    private let program: UnprivilegedProgram
    private var process: RunningProgram?

    /// Makes a cluster with the superuser `postgres`, and does not start it yet.
    public init() async throws {
        self.program = try UnprivilegedProgram()
        try await self.program.start([
            "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--no-sync", "--no-instructions", "-E", "UTF8",
            "--locale", "C",
        ]).succeed()
    }

    private var data: String { self.program.folder + "/data" }

    /// The folder of its socket, as `PGHOST` takes it.
    public var host: String { self.program.folder }

    public var conninfo: String { "host='\(self.program.folder)' user='postgres' dbname='postgres'" }

    /// Puts a line before those that say who may connect how.
    public func allow(_ line: String) throws {
        let path = self.data + "/pg_hba.conf"
        let lines = try String(contentsOfFile: path, encoding: .utf8)
        try self.program.write("data/pg_hba.conf", line + "\n" + lines)
    }

    /// Starts the server and returns without waiting for it. A standby recovers until it is promoted.
    public func start(asStandby: Bool = false) throws {
        if asStandby { try self.program.write("data/standby.signal", "") }
        self.process = try self.program.start([
            "postgres", "-D", self.data, "-k", self.program.folder, "-c", "listen_addresses=", "-c", "fsync=off",
        ])
    }

    /// Ends the server at once, as if the machine had lost power but for what it had written.
    public func crash() async throws {
        try await self.stop(SIGQUIT)
    }

    public func stop() async throws {
        try await self.stop(SIGINT)
    }

    private func stop(_ signal: Int32) async throws {
        guard let process else { return }
        self.process = nil
        // Between this process and the server may stand the program that changed the user.
        let pid = try? String(contentsOfFile: self.data + "/postmaster.pid", encoding: .utf8)
        if let line = pid?.split(separator: "\n").first, let pid = pid_t(line) { kill(pid, signal) }
        try await process.end()
    }

    func remove() async {
        try? await self.stop(SIGQUIT)
        self.program.remove()
    }
}

/// Runs `body` with a server that is gone afterwards.
public func withTemporaryServer(_ body: (TemporaryServer) async throws -> Void) async throws {
    let server = try await TemporaryServer()
    do {
        try await body(server)
    } catch {
        await server.remove()
        throw error
    }
    await server.remove()
}
