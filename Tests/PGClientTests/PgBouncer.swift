import Foundation
import PGClient
import Testing

/// PgBouncer, pooling by transaction, in front of a database. It ends with the closure.
enum PgBouncer {
    /// Servers that the clients take turns on.
    static let servers = 2

    static func with<R>(_ configuration: PGConfiguration, _ body: (PGConfiguration) async throws -> R) async throws -> R
    {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "pgb-" + String(UInt32.random(in: 0 ... .max), radix: 36))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "pgbouncer.ini")
        try Data(Self.settings(configuration, folder.path).utf8).write(to: file)

        let process = Process()
        process.executableURL = URL(filePath: "/usr/sbin/pgbouncer")
        process.arguments = ["--quiet", file.path]
        if getuid() == 0 {
            // It refuses to be root; the user of Debian's packages may also enter the folder of the server's socket.
            process.arguments = ["--quiet", "--user", "postgres", file.path]
            for path in [folder.path, file.path] {
                try FileManager.default.setAttributes([.ownerAccountName: "postgres"], ofItemAtPath: path)
            }
        }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let (ended, end) = AsyncStream<Never>.makeStream()
        process.terminationHandler = { _ in end.finish() }
        try process.run()
        // Another signal would not do: the process has inherited a mask that blocks them.
        defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
        var pooled = PGConfiguration(
            try configuration.conninfo(replacing: ["host": folder.path, "hostaddr": "", "port": "6432"]))
        pooled.pool = configuration.pool
        let socket = folder.appending(path: ".s.PGSQL.6432").path
        try await eventually("PgBouncer does not listen") { FileManager.default.fileExists(atPath: socket) }
        let result = try await body(pooled)
        kill(process.processIdentifier, SIGKILL)
        for await _ in ended {}
        return result
    }

    private static func settings(_ configuration: PGConfiguration, _ folder: String) throws -> String {
        """
        [databases]
        * = \(try configuration.conninfo(replacing: [:]))
        [pgbouncer]
        listen_addr =
        listen_port = 6432
        unix_socket_dir = \(folder)
        auth_type = any
        pool_mode = transaction
        default_pool_size = \(self.servers)
        ; It knows few of the settings that a session may begin with, and must be told to pass over the rest.
        ignore_startup_parameters = options,extra_float_digits
        """
    }
}
