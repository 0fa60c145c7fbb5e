import MetricsTestKit
import PGClient
import PGTesting
import Synchronization
import Testing

@Suite struct ObservabilityTests {
    @Test func waitingAndQueriesAreMeasured() async throws {
        let metrics = TestMetrics()
        try await withClient({ ($0.metricsFactory, $0.pool.name) = (metrics, "main") }) { client in
            try await client.query("SELECT pg_sleep(0.01)")
            try await client.withConnection { try await $0.query("SELECT 1") }
            let acquire = try metrics.expectTimer("pgclient_acquire_duration", [("pool", "main")])
            let query = try metrics.expectTimer("pgclient_query_duration", [("pool", "main")])
            #expect(acquire.values.count == 2)
            #expect(query.values.count == 2)
            #expect(query.values[0] >= 10_000_000)
        }
    }

    @Test func theTracerSeesEveryStatementAndNoValue() async throws {
        let spans = Mutex<[String]>([])
        let tracer: PGTracer = { statement in
            spans.withLock { $0.append("begin \(statement.fingerprint)") }
            return { outcome in
                let state = (outcome.error as? PGError)?.sqlState
                spans.withLock { $0.append("end \(state ?? "well")") }
            }
        }
        try await withClient({ $0.tracer = tracer }) { client in
            try await client.query("SELECT \("secret")")
            _ = try? await client.simpleQuery(unsafeSQL: "SELECT 'secret' / 0")
            try await client.withRows(of: "SELECT 7") { rows in for try await _ in rows {} }
        }
        #expect(
            spans.withLock { $0 } == [
                "begin SELECT $1", "end well", "begin SELECT ? / ?", "end 22P02", "begin SELECT ?", "end well",
            ])
    }

    /// Whatever began for the tracer ends for it, also a statement whose turn it is not.
    @Test func aStatementThatIsNotSentEndsToo() async throws {
        let begun = Mutex(0)
        let ended = Mutex<[String]>([])
        let tracer: PGTracer = { _ in
            begun.withLock { $0 += 1 }
            return { outcome in
                ended.withLock { $0.append((outcome.error as? PGError)?.code.description ?? "well") }
            }
        }
        try await withConnection({ $0.tracer = tracer }) { connection in
            try await connection.withTransaction { _ in
                await #expect(throws: PGError.self) { try await connection.withRows(of: "SELECT 7") { _ in } }
                await #expect(throws: PGError.self) { try await connection.query("SELECT 7") }
            }
        }
        #expect(begun.withLock { $0 } == 4)
        #expect(ended.withLock { $0 } == ["well", "invalidState", "invalidState", "well"])
    }

    @Test func aSlowStatementIsLogged() async throws {
        let slow = LogCounter("a statement was slow")
        try await withTestDatabase { database in
            var configuration = database.configuration
            configuration.slowQueryThreshold = .milliseconds(50)
            let client = PGClient(configuration, logger: slow.logger)
            try await client.query("SELECT pg_sleep(0.06)")
            #expect(slow.count == 1)
        }
    }

    @Test func noticesAreLoggedWithoutAHandler() async throws {
        let notices = LogCounter("notice from the database server")
        try await withTestDatabase { database in
            let client = PGClient(database.configuration, logger: notices.logger)
            _ = try await client.simpleQuery(unsafeSQL: "DO $$ BEGIN RAISE WARNING 'careful'; END $$")
            #expect(notices.count == 1)
        }
    }
}
