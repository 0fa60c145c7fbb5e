import PGTesting
import Testing

@testable import PGClient

/// A server with TLS, which lets people in by `rules` of pg_hba.conf.
@Suite struct EncryptionTests {
    func withServer<R>(
        rules: [String], isEncrypted: Bool = true, _ body: (TestCluster, Certificates) async throws -> R
    ) async throws -> R {
        let certificates = try await Certificates()
        let files = [
            "server.crt": try certificates.text("server.crt"), "server.key": try certificates.text("server.key"),
            "ca.crt": try certificates.text("ca.crt"),
            "pg_hba.conf": (["local all all trust"] + rules).joined(separator: "\n") + "\n",
        ]
        let settings = isEncrypted ? ["ssl": "on", "ssl_ca_file": "ca.crt"] : [:]
        return try await withTestCluster(settings: settings, files: files, listensOnTCP: true) { cluster in
            try await body(cluster, certificates)
        }
    }

    /// Whether the connection is encrypted, as the server sees it.
    func connect(_ cluster: TestCluster, _ more: String, host: String = "127.0.0.1") async throws -> Bool {
        let configuration = PGConfiguration(
            "host=\(host) port=\(cluster.port) user=postgres dbname=postgres sslcert='' " + more)
        return try await PGConnection.withConnection(configuration, logger: quietLogger) { connection in
            let row = try await connection.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").only
            return try row?.decode("ssl") ?? false
        }
    }

    @Test func eachModeDoesWhatItSays() async throws {
        try await self.withServer(rules: ["hostssl all all 127.0.0.1/32 trust"]) { cluster, certificates in
            let root = "sslrootcert=" + certificates.path("ca.crt")
            for mode in ["allow", "prefer", "require", "verify-ca \(root)"] {
                // With `allow` the first socket is refused, and another one takes its place.
                let isEncrypted = try await self.connect(cluster, "sslmode=" + mode)
                #expect(isEncrypted, "\(mode)")
            }
            let isEncrypted = try await self.connect(cluster, "sslmode=verify-full \(root)", host: "localhost")
            #expect(isEncrypted)

            let plain = await #expect(throws: PGError.self) { try await self.connect(cluster, "sslmode=disable") }
            #expect(plain?.sqlState == "28000")
            let name = await #expect(throws: PGError.self) {
                try await self.connect(cluster, "sslmode=verify-full \(root)")
            }
            #expect(name?.message.contains("127.0.0.1") == true && name?.code == .connection)
            let authority = await #expect(throws: PGError.self) {
                try await self.connect(cluster, "sslmode=verify-ca sslrootcert=" + certificates.path("other.crt"))
            }
            #expect(authority?.message.contains("certificate verify failed") == true)
        }
    }

    @Test func aServerWithoutEncryptionIsTakenByPreferAndRefusedByRequire() async throws {
        try await self.withServer(rules: ["host all all 127.0.0.1/32 trust"], isEncrypted: false) { cluster, _ in
            let isEncrypted = try await self.connect(cluster, "sslmode=prefer")
            #expect(!isEncrypted)
            let error = await #expect(throws: PGError.self) { try await self.connect(cluster, "sslmode=require") }
            #expect(error?.message.contains("does not support SSL") == true)
        }
    }

    @Test func aClientIsKnownByItsCertificate() async throws {
        try await self.withServer(rules: ["hostssl all all 127.0.0.1/32 cert"]) { cluster, certificates in
            func identity(_ name: String) -> String {
                "sslmode=require sslcert=\(certificates.path(name + ".crt")) sslkey=\(certificates.path(name + ".key"))"
            }
            let isEncrypted = try await self.connect(cluster, identity("client"))
            #expect(isEncrypted)
            let stranger = await #expect(throws: PGError.self) { try await self.connect(cluster, identity("stranger")) }
            #expect(stranger?.sqlState == "28000")
            let nobody = await #expect(throws: PGError.self) { try await self.connect(cluster, "sslmode=require") }
            #expect(nobody?.code == .connection)
        }
    }

    @Test func passwordsAreCheckedAndNeverShown() async throws {
        try await self.withServer(rules: ["hostssl all all 127.0.0.1/32 scram-sha-256"]) { cluster, _ in
            try await PGConnection.withConnection(PGConfiguration(cluster.conninfo), logger: quietLogger) {
                _ = try await $0.simpleQuery(unsafeSQL: "ALTER ROLE postgres PASSWORD 'open sesame'")
            }
            let isEncrypted = try await self.connect(cluster, "sslmode=require password='open sesame'")
            #expect(isEncrypted)
            let error = await #expect(throws: PGError.self) {
                try await self.connect(cluster, "sslmode=require password='closed sesame'")
            }
            #expect(error?.sqlState == "28P01")
            #expect(error.map { String(reflecting: $0) }?.contains("sesame") == false)
        }
    }

    /// Cancels a query over an encrypted connection, and returns what travelled, with the process of the session that ran it.
    private func trafficOfACancellation(
        _ change: (inout PGConfiguration) -> Void = { _ in }
    ) async throws -> (traffic: FrontendTraffic, connections: Int, pid: Int32) {
        try await self.withServer(rules: ["hostssl all all 127.0.0.1/32 trust"]) { cluster, _ in
            let server = PGConfiguration(
                "host=127.0.0.1 port=\(cluster.port) user=postgres dbname=postgres sslmode=prefer")
            return try await withFaultProxy(to: server, over: .tcp) { proxy in
                var configuration = try proxy.configuration()
                configuration.waitForConnections(atMost: .seconds(60))
                configuration.phaseTimeouts.tls = .seconds(60)
                configuration.cancelBudget = .seconds(60)
                change(&configuration)
                let client = PGClient(configuration, logger: quietLogger)
                var direct = PGConfiguration(cluster.conninfo)
                direct.waitForConnections(atMost: .seconds(60))
                let observer = PGClient(direct, logger: quietLogger)
                let pid = try await client.withConnection { connection in
                    try await withThrowingTaskGroup { group in
                        group.addTask {
                            await #expect(throws: CancellationError.self) {
                                try await connection.query("SELECT pg_sleep(37)")
                            }
                        }
                        try await eventually { try await observer.isRunning("pg_sleep(37)") }
                        group.cancelAll()
                        try await group.waitForAll()
                    }
                    return connection.backendPID
                }
                let isStillRunning = try await observer.isRunning("pg_sleep(37)")
                #expect(!isStillRunning)
                #expect(client.statistics.connectionsLost == 0)
                return (proxy.traffic, proxy.accepted, pid)
            }
        }
    }

    @Test func aRequestToCancelShowsAnOldLibPQsKeyOfTheSessionAndNothingElse() async throws {
        let (traffic, connections, pid) = try await self.trafficOfACancellation()
        guard LibPQ17.shared == nil else { return #expect(traffic.cancelRequests.isEmpty) }
        // More than one when the first came before its query.
        #expect(!traffic.cancelRequests.isEmpty)
        #expect(
            traffic.cancelRequests.allSatisfy { $0.count == 8 && $0.prefix(4) == ScriptedSession.int32(Int(pid))[...] })
        #expect(traffic.encryptionRequests + traffic.cancelRequests.count == connections)
    }

    @Test func aRequestToCancelIsEncryptedWhereThatIsAskedFor() async throws {
        let (traffic, connections, _) = try await self.trafficOfACancellation { $0.encryptsCancelRequests = true }
        #expect(traffic.cancelRequests.isEmpty)
        #expect(connections >= 2 && traffic.encryptionRequests == connections)
    }
}
