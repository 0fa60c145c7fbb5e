import Foundation
import Glibc
import PGClient

/// Runs `body` with the connection string of a PgBouncer that pools transactions in front of a database.
public func withTransactionPooler(
    for database: TestDatabase, _ body: (_ conninfo: String) async throws -> Void
) async throws {
    let host = try database.configuration.firstHost()
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
        \(database.name) = \(try database.configuration.conninfo(replacing: [:]))
        [pgbouncer]
        listen_addr =
        unix_socket_dir = \(program.folder)
        listen_port = 6432
        auth_type = any
        pool_mode = transaction
        """)
    let process = try program.start(["pgbouncer", program.folder + "/pgbouncer.ini"])
    defer { process.terminate() }
    while !FileManager.default.fileExists(atPath: program.folder + "/.s.PGSQL.6432") {
        guard process.isRunning else {
            throw ProgramFailed(arguments: ["pgbouncer"], status: process.terminationStatus, log: program.log)
        }
        try await Task.sleep(for: .milliseconds(10))
    }
    try await body(
        "host='\(program.folder)' port='6432' dbname='\(database.name)' user='pooled'")
}
