import PGClient
import Testing

@testable import PGTesting

/// The proxy does what it says, and the client bears it.
@Suite struct FaultKitTests {
    func withProxy(
        over transport: Transport = .unixSocket, _ body: (FaultProxy, PGConfiguration) async throws -> Void
    )
        async throws
    {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration, over: transport) { proxy in
                try await body(proxy, try proxy.configuration())
            }
        }
    }

    @Test func bytesThatArriveOneByOneMakeTheSameResult() async throws {
        try await self.withProxy { proxy, configuration in
            proxy.dribble(true)
            try await PGConnection.withConnection(configuration, logger: quietLogger) { connection in
                let row = try await connection.query(
                    "SELECT \("Zoë") AS name, repeat('x', 3000) AS text, NULL::int AS n"
                ).only
                #expect(try row?.decode("name") == "Zoë")
                let error = await #expect(throws: PGError.self) { try await connection.query("SELECT 1 / 0") }
                #expect(error?.sqlState == "22012")
                try await connection.withRows(of: "SELECT generate_series(1, 100) AS i") { rows in
                    var sum = 0
                    for try await row in rows { sum += try row.decode("i", as: Int.self) }
                    #expect(sum == 5050)
                }
            }
        }
    }

    @Test func theWayThroughTheProxyIsTheOnlyDifference() async throws {
        var direct = try TestDatabase.serverConfiguration()
        direct.applicationName = "through the proxy"
        direct.parameters = ["lock_timeout": "1234"]
        direct.connectTimeout = .seconds(7)
        direct.statementCacheCapacity = 0
        direct.sharing.depth = 3
        try await withFaultProxy(to: direct) { proxy in
            let configuration = try proxy.configuration()
            #expect(configuration.connectTimeout == .seconds(7))
            #expect(configuration.statementCacheCapacity == 0 && configuration.statementTimeout == nil)
            #expect(configuration.sharing.depth == 3)
            try await PGConnection.withConnection(configuration, logger: quietLogger) { connection in
                let row = try await connection.query(
                    "SELECT current_setting('application_name'), current_setting('lock_timeout')"
                ).only
                #expect(try row?.decode((String, String).self) ?? ("", "") == ("through the proxy", "1234ms"))
            }
            #expect(proxy.accepted == 1)
        }
    }

    @Test func aSlowLineDelaysEveryAnswer() async throws {
        try await self.withProxy { proxy, configuration in
            try await PGConnection.withConnection(configuration, logger: quietLogger) { connection in
                proxy.delay(.milliseconds(30))
                let start = ContinuousClock.now
                try await connection.query("SELECT 1")
                #expect(.now - start >= .milliseconds(60))
            }
        }
    }

    /// Wherever the line breaks, the caller is told that the connection is gone, or has its result.
    @Test func aLineThatBreaksAfterAnyMessageIsAnErrorAndNoHang() async throws {
        try await self.withProxy { proxy, configuration in
            var succeeded = 0
            for messages in 0..<60 {
                proxy.cut(afterMessages: messages)
                do {
                    try await PGConnection.withConnection(configuration, logger: quietLogger) { connection in
                        let count = try await connection.withTransaction { transaction in
                            try await transaction.query("SELECT generate_series(1, 5)").count
                        }
                        #expect(count == 5)
                    }
                    succeeded += 1
                } catch let error as PGError {
                    #expect(
                        error.code == .connection || error.code == .commitInDoubt,
                        "after \(messages) messages: \(error)")
                }
            }
            #expect((1..<60).contains(succeeded))
        }
    }

    @Test func theEndOfWhatTheServerSendsIsTheEndOfTheConnection() async throws {
        try await self.withProxy { proxy, configuration in
            let client = PGClient(configuration, logger: quietLogger)
            try await client.query("SELECT 1")
            proxy.halfClose()
            try await eventually { client.statistics.connectionsLost == 1 }
            try await client.query("SELECT 1")
        }
    }

    @Test func aResetIsReported() async throws {
        try await withTestCluster(listensOnTCP: true) { cluster in
            let server = PGConfiguration(
                "host=127.0.0.1 port=\(cluster.port) user=postgres dbname=postgres sslmode=disable")
            try await withFaultProxy(to: server, over: .tcp) { proxy in
                let client = PGClient(try proxy.configuration(), logger: quietLogger)
                let error = await #expect(throws: PGError.self) {
                    try await withThrowingTaskGroup { group in
                        group.addTask { _ = try await client.query("SELECT pg_sleep(40)") }
                        try await eventually { try await client.isRunning("pg_sleep(40)") }
                        proxy.reset()
                        try await group.waitForAll()
                    }
                }
                #expect(error?.code == .connection)
                #expect(error?.sqlState == nil)
                // The other connection may be seen to be dead only when it is used.
                try await eventually { await (try? client.query("SELECT 1")) != nil }
            }
        }
    }

    @Test func messagesAreCountedWhereverTheirPiecesEnd() {
        let stream: [UInt8] = [78] + [82, 0, 0, 0, 8, 0, 0, 0, 0] + [90, 0, 0, 0, 5, 73] + [90, 0, 0, 0, 4]
        for size in 1...stream.count {
            var counter = MessageCounter()
            var remaining: Int? = 2
            var passed: [UInt8] = []
            for start in stride(from: 0, to: stream.count, by: size) {
                let (piece, isLast) = counter.limit(stream[start..<min(start + size, stream.count)], to: &remaining)
                passed += piece
                if isLast { break }
            }
            #expect(passed == Array(stream[..<16]), "pieces of \(size)")
        }
    }

    @Test func whatAClientBeginsWithIsSeenWhereverItsPiecesEnd() {
        let session: [UInt8] = [0, 0, 16, 1, 9, 8, 7, 6]
        let cancellation: [UInt8] = [0, 0, 0, 16, 4, 210, 22, 46] + session
        let encryption: [UInt8] = [0, 0, 0, 8, 4, 210, 22, 47]
        let login: [UInt8] = [0, 0, 0, 17, 0, 3, 0, 0] + Array("user\0me\0\0".utf8) + [83, 0, 0, 0, 4]
        for size in 1...20 {
            var traffic = FrontendTraffic()
            for stream in [cancellation, encryption, login] {
                var messages = FrontendMessages()
                for start in stride(from: 0, to: stream.count, by: size) {
                    messages.read(stream[start..<min(start + size, stream.count)], counting: &traffic)
                }
            }
            #expect(traffic.cancelRequests == [session], "pieces of \(size)")
            #expect(traffic.encryptionRequests == 1 && traffic.roundTrips == 1, "pieces of \(size)")
        }
    }

    /// libpq reports such a message and waits for the end of the query, which never comes.
    @Test(
        arguments: [
            ("?", []), ("D", ScriptedSession.int16(0)), ("R", ScriptedSession.int32(0)),
            // An error of the server before it changes nothing.
            ("E", Array("SERROR\0C42601\0Mwrong\0\0".utf8)),
        ] as [(Character, [UInt8])])
    func aMessageThatHasNoPlaceThereIsTheEndOfTheConnectionAlsoWhenSilenceFollows(
        type: Character, payload: [UInt8]
    ) async throws {
        let server = try ScriptedServer { session in
            try session.welcome()
            _ = try session.receive()
            try session.send(type, payload)
            if type == "E" { try session.send("?") }
            session.stall()
        }
        try await PGConnection.withConnection(server.configuration, logger: quietLogger) { connection in
            let error = await #expect(throws: PGError.self) {
                try await connection.simpleQuery(unsafeSQL: "SELECT 1")
            }
            #expect(error?.sqlState == (type == "E" ? "42601" : nil), "\(String(reflecting: error))")
            // It is closed, not just in doubt.
            await #expect(throws: PGError.self) { try await connection.query("SELECT 2") }
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: ["?", "D"] as [Character])
    func aMessageThatHasNoPlaceInAPipelineIsTheEndOfTheConnection(type: Character) async throws {
        let server = try ScriptedServer { session in
            try session.welcome()
            // The server is asked who it is, and is none that statements may be prepared on.
            try session.receive(until: ["S"])
            try session.sendError("42883", "no such function")
            try session.sendReady()
            try session.receive(until: ["S"])
            try session.send(type, ScriptedSession.int16(0))
            session.stall()
        }
        let error = await #expect(throws: PGError.self) {
            try await PGConnection.withConnection(server.configuration, logger: quietLogger) {
                _ = try await $0.pipeline { $0.append("SELECT 1") }
            }
        }
        #expect(error?.code == .connection && error?.sqlState == nil, "\(String(reflecting: error))")
    }

    @Test func anErrorThatEndsTheSessionAfterTheResultIsSeen() async throws {
        let server = try ScriptedServer { session in
            try session.welcome()
            _ = try session.receive()
            try session.send("C", ScriptedSession.string("SET"))
            try session.sendError("57P01", "terminating connection due to administrator command", severity: "FATAL")
        }
        let error = await #expect(throws: PGError.self) {
            try await PGConnection.withConnection(server.configuration, logger: quietLogger) {
                _ = try await $0.simpleQuery(unsafeSQL: "SET x = 1")
            }
        }
        #expect(error?.sqlState == "57P01")
    }
}
