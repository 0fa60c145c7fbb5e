import Glibc
import PGTesting
import Testing

@testable import PGClient

@Suite(.timeLimit(.minutes(5))) struct ListeningTests {
    @Test func notificationsReachAConnectionThatHasNothingToDoAndOneThatHas() async throws {
        try await withClient { client in
            try await client.withConnection { connection in
                let notifications = try await connection.listen(to: "events", "other")
                var iterator = notifications.makeAsyncIterator()
                try await client.query("SELECT pg_notify('events', 'Zoë')")
                let first = try #require(try await iterator.next())
                #expect(first.channel == "events" && first.payload == "Zoë" && first.backendPID > 0)
                try await client.query("SELECT pg_notify('other', '')")
                try await connection.query("SELECT pg_sleep(0.01)")
                #expect(try await iterator.next()?.channel == "other")
            }
            // The next one to have the connection does not hear them.
            let rows = try await client.withConnection { try await $0.query("SELECT pg_listening_channels()") }
            #expect(rows.isEmpty)
        }
    }

    @Test func aListenerThatIsSlowMissesNothing() async throws {
        try await withClient { client in
            try await client.withConnection { connection in
                var iterator = try await connection.listen(to: "events").makeAsyncIterator()
                let payload = String(repeating: "x", count: 7000)
                try await client.execute(
                    "SELECT pg_notify('events', i || \(payload)) FROM generate_series(1, 1000) AS i")
                for index in 1...1000 {
                    #expect(try await iterator.next()?.payload == "\(index)\(payload)")
                }
            }
        }
    }

    @Test func waitingForANotificationEndsWithTheTask() async throws {
        try await withClient { client in
            try await withThrowingTaskGroup { group in
                let listens = Flag()
                group.addTask {
                    await #expect(throws: CancellationError.self) {
                        try await client.withConnection { connection in
                            let notifications = try await connection.listen(to: "events")
                            listens.set()
                            for try await _ in notifications {}
                        }
                    }
                }
                try await eventually { listens.isSet }
                group.cancelAll()
                try await group.waitForAll()
            }
            try await client.query("SELECT 1")
            #expect(client.statistics.connectionsLost == 0)
        }
    }

    @Test func aWaitThatIsCancelledEndsAlone() async throws {
        try await withClient { client in
            try await client.withConnection { connection in
                let notifications = try await connection.listen(to: "events")
                for number in 0..<20 {
                    await withThrowingTaskGroup { group in
                        group.addTask {
                            var iterator = notifications.makeAsyncIterator()
                            _ = try await iterator.next()
                        }
                        group.cancelAll()
                        await #expect(throws: CancellationError.self) { try await group.waitForAll() }
                    }
                    try await client.query("SELECT pg_notify('events', \(String(number)))")
                    var iterator = notifications.makeAsyncIterator()
                    #expect(try await iterator.next()?.payload == String(number))
                }
            }
        }
    }

    /// More than is kept here and by the sockets: the server waits until the task takes them.
    private func fill(_ connection: PGConnection, from client: PGClient) async throws {
        let payload = String(repeating: "x", count: 7000)
        try await client.execute("SELECT pg_notify('events', i || \(payload)) FROM generate_series(1, 2000) AS i")
        // The server waits for a moment now and then also while it is read.
        var times = 0
        try await eventually {
            let isWaiting = try await !client.query(
                """
                SELECT FROM pg_stat_activity WHERE pid = \(connection.backendPID) AND wait_event = 'ClientWrite'
                """
            ).isEmpty
            times = isWaiting ? times + 1 : 0
            return times == 20
        }
    }

    @Test func aQueryOnAConnectionWhoseNotificationsNobodyTakesIsAnswered() async throws {
        try await withClient { client in
            try await client.withConnection { connection in
                var iterator = try await connection.listen(to: "events").makeAsyncIterator()
                try await self.fill(connection, from: client)
                #expect(try await connection.query("SELECT 1").count == 1)
                for _ in 0..<2000 { _ = try await iterator.next() }
                #expect(try await connection.query("SELECT 1").count == 1)
            }
        }
    }

    /// Also after nothing was read for longer than the time in which it is asked.
    @Test func aServerThatFallsSilentIsFoundOutAfterATaskWasBehind() async throws {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                var configuration = try proxy.configuration()
                configuration.heartbeat = .seconds(5)
                let client = PGClient(database.configuration, logger: quietLogger)
                try await PGConnection.withConnection(configuration, logger: quietLogger) { connection in
                    var iterator = try await connection.listen(to: "events").makeAsyncIterator()
                    try await self.fill(connection, from: client)
                    let start = ContinuousClock.now
                    try await eventually { .now > start + configuration.heartbeat }
                    for _ in 0..<2000 { _ = try await iterator.next() }
                    proxy.freeze()
                    let error = await #expect(throws: PGError.self) { _ = try await iterator.next() }
                    #expect(error?.code == .connection)
                }
            }
        }
    }

    @Test func aCopyOnAConnectionThatListensMayTakeItsTime() async throws {
        try await withClient({ $0.heartbeat = .milliseconds(20) }) { client in
            try await client.execute("CREATE TABLE t (x int)")
            try await client.withConnection { connection in
                let notifications = try await connection.listen(to: "events")
                let rows = try await connection.copyIn("COPY t FROM STDIN") { writer in
                    let start = ContinuousClock.now
                    try await eventually { .now > start + .milliseconds(200) }
                    try await writer.write(Array("1\n".utf8))
                }
                #expect(rows == 1)
                try await client.query("SELECT pg_notify('events', 'still there')")
                var iterator = notifications.makeAsyncIterator()
                #expect(try await iterator.next()?.payload == "still there")
            }
        }
    }

    @Test func aListenerSurvivesALostConnectionAndSaysSo() async throws {
        try await withTestDatabase { database in
            try await withFaultProxy(to: database.configuration) { proxy in
                let client = PGClient(try proxy.configuration(), logger: quietLogger)
                let observer = PGClient(database.configuration, logger: quietLogger)
                var events = client.listen(to: "events").makeAsyncIterator()
                for round in 0..<3 {
                    #expect(try await events.next()?.words == "listening")
                    try await observer.query("SELECT pg_notify('events', \("round \(round)"))")
                    #expect(try await events.next()?.words == "events: round \(round)")
                    proxy.close()
                    proxy.reset()
                    #expect(try await events.next()?.words == "lost: connection")
                    // The server is down, which is one more loss, and comes back.
                    #expect(try await events.next()?.words == "lost: connection")
                    try proxy.listen()
                }
                #expect(try await events.next()?.words == "listening")
            }
        }
    }

    @Test func aListenerOutlivesTheTerminationOfItsSession() async throws {
        try await withClient { client in
            var events = client.listen(to: "events").makeAsyncIterator()
            _ = try await events.next()
            try await client.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
            )
            #expect(try await events.next()?.words == "lost: 57P01")
            #expect(try await events.next()?.words == "listening")
        }
    }

    @Test func aListenerWithABadPasswordDoesNotTryForEver() async throws {
        let configuration = PGConfiguration(
            try TestDatabase.serverConfiguration().conninfo(replacing: ["dbname": "no_such_database"]))
        var events = PGClient(configuration, logger: quietLogger).listen(to: "events").makeAsyncIterator()
        let error = await #expect(throws: PGError.self) { _ = try await events.next() }
        #expect(error?.sqlState == "3D000")
    }
}

extension PGListenEvent {
    fileprivate var words: String {
        switch self {
        case .listening: "listening"
        case .notification(let notification): "\(notification.channel): \(notification.payload)"
        case .lost(let error): "lost: \(error.sqlState ?? error.code.description)"
        }
    }
}
