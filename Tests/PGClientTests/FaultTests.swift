import Glibc
import PGClient
import PGTesting
import Testing

@Suite struct FaultTests {
    @Test func aTerminatedSessionReportsWhyAndNotThatTheLineWentDead() async throws {
        try await withClient { client in
            let error = await #expect(throws: PGError.self) {
                try await withThrowingTaskGroup { group in
                    group.addTask { _ = try await client.query("SELECT pg_sleep(34)") }
                    try await eventually { try await client.isRunning("pg_sleep(34)") }
                    try await client.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(34)%' AND pid <> pg_backend_pid()"
                    )
                    try await group.waitForAll()
                }
            }
            #expect(error?.sqlState == "57P01")
            #expect(error?.severity == "FATAL")
            #expect(error?.code == .connection)
        }
    }

    @Test func aSessionThatEndedWhileIdleIsNotHandedOut() async throws {
        try await withClient({ $0.pool.maximum = 1 }) { client in
            for _ in 0..<20 {
                let pid = try await client.withConnection { $0.backendPID }
                try await withPlainConnection { try await $0.execute("SELECT pg_terminate_backend(\(pid))") }
                // The server's farewell is on its way; the pool sees it without being asked to do anything.
                try await eventually { client.statistics.idle == 0 }
                try await client.query("SELECT 1")
            }
            #expect(client.statistics.connectionsLost == 20)
        }
    }

    @Test func aSessionThatEndedInATransactionFailsItsNextStatementWithTheReason() async throws {
        try await withClient { client in
            let error = await #expect(throws: PGError.self) {
                try await client.withConnection { connection in
                    try await connection.withTransaction { transaction in
                        let pid = connection.backendPID
                        try await client.execute("SELECT pg_terminate_backend(\(pid))")
                        try await eventually {
                            try await client.query("SELECT 1 FROM pg_stat_activity WHERE pid = \(pid)").isEmpty
                        }
                        try await transaction.query("SELECT 1")
                    }
                }
            }
            #expect(error?.sqlState == "57P01")
            try await eventually { client.statistics.leased == 0 }
        }
    }

    @Test func aCutConnectionFailsItsQueryAndThePoolGoesOn() async throws {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                let client = PGClient(try proxy.configuration(), logger: quietLogger)
                let error = await #expect(throws: PGError.self) {
                    try await withThrowingTaskGroup { group in
                        group.addTask { _ = try await client.query("SELECT pg_sleep(35)") }
                        try await eventually { try await client.isRunning("pg_sleep(35)") }
                        proxy.reset()
                        try await group.waitForAll()
                    }
                }
                #expect(error?.code == .connection)
                #expect(error?.sqlState == nil)
                try await client.query("SELECT 1")
            }
        }
    }

    @Test func oneConnectionAtATimeIsTriedWhileTheServerIsAway() async throws {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                let client = PGClient(try proxy.configuration(), logger: quietLogger)
                try await withThrowingTaskGroup { group in
                    for _ in 0..<8 {
                        group.addTask {
                            while !Task.isCancelled { _ = try? await client.query("SELECT 1") }
                        }
                    }
                    for _ in 0..<3 {
                        let before = client.statistics.acquired
                        try await eventually { client.statistics.acquired > before + 50 }
                        proxy.close()
                        proxy.reset()
                        let failed = client.statistics.connectionsFailed
                        try await eventually { client.statistics.connectionsFailed > failed + 2 }
                        #expect(client.statistics.connecting <= 1)
                        try proxy.listen()
                    }
                    let before = client.statistics.acquired
                    try await eventually { client.statistics.acquired > before + 50 }
                    group.cancelAll()
                    try await group.waitForAll()
                }
                try await client.query("SELECT 1")
            }
        }
    }

    @Test func aServerThatAcceptsAndSaysNothingTimesOutInTheAuthentication() async throws {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                proxy.freeze()
                var configuration = try proxy.configuration()
                configuration.connectTimeout = .milliseconds(100)
                let error = await #expect(throws: PGError.self) {
                    try await PGConnection.withConnection(configuration, logger: quietLogger) { _ in }
                }
                #expect(error?.code == .connectTimeout(.authentication))
            }
        }
    }

    @Test func aTLSHandshakeThatStallsIsNamed() async throws {
        let listener = try SilentListener()
        var configuration = PGConfiguration("host=127.0.0.1 port=\(listener.port) user=x dbname=x sslmode=require")
        configuration.connectTimeout = .milliseconds(100)
        let error = await #expect(throws: PGError.self) {
            try await PGConnection.withConnection(configuration, logger: quietLogger) { _ in }
        }
        #expect(error?.code == .connectTimeout(.tls))
    }

    @Test func aHostThatDoesNotExistIsNamed() async throws {
        let configuration = PGConfiguration("host=does-not-exist.invalid user=x password=sesame dbname=x")
        let error = await #expect(throws: PGError.self) {
            try await PGConnection.withConnection(configuration, logger: quietLogger) { _ in }
        }
        #expect(error?.message.contains("does-not-exist.invalid") == true)
    }

    @Test func aRefusedLoginSaysWhyWithItsSQLStateAndIsNotTriedAgain() async throws {
        let database = try TestDatabase.serverConfiguration()
        let configuration = PGConfiguration(
            try database.conninfo(replacing: ["dbname": "no_such_database"]))
        let client = PGClient(configuration, logger: quietLogger)
        let error = await #expect(throws: PGError.self) { try await client.query("SELECT 1") }
        #expect(error?.sqlState == "3D000")
        #expect(error?.message.contains("no_such_database") == true)
        #expect(client.statistics.connectionsFailed == 1)
    }

    @Test(arguments: [
        "postgresql://user:sesame@host:port/db", "host=x password='sesame", "password=open sesame",
        "postgresql://u:sesame%zz@h/d",
    ])
    func aPasswordIsInNoErrorAndNoDescription(conninfo: String) {
        let configuration = PGConfiguration(conninfo)
        var text = "\(configuration) \(String(reflecting: configuration))"
        dump(configuration, to: &text)
        do { try configuration.validate() } catch { text += "\(error) \(String(reflecting: error))" }
        #expect(!text.contains("sesame"))
    }
}

/// A TCP port that takes connections and never says a word.
final class SilentListener: Sendable {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) | listen(descriptor, 8) | getsockname(descriptor, address, &length)
            }
        }
        try #require(status == 0)
        self.port = UInt16(bigEndian: address.sin_port)
        self.descriptor = descriptor
    }

    deinit { close(self.descriptor) }
}
