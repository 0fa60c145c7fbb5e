import PGTesting
import Testing

@Suite("Health")
struct HealthTests {
    @Test func aRunningServerIsUpAndReady() async throws {
        try await withServer { server in
            let health = try await server.get("/healthz")
            #expect(health.status == 200)
            #expect(health.header("Content-Type") == "application/json")
            #expect(health.text == #"{"status":"up"}"#)
            let readiness = try await server.get("/readyz")
            #expect(readiness.status == 200)
            #expect(readiness.text == #"{"status":"ready"}"#)
        }
    }

    @Test func withoutItsDatabaseItIsUpButNotReady() async throws {
        try await withServer { server in
            try await server.database.drop()
            #expect(try await server.get("/healthz").status == 200)
            let readiness = try await server.get("/readyz")
            #expect(readiness.status == 503)
            #expect(readiness.text == #"{"message":"The service is not available at the moment."}"#)
            #expect(try await server.get("/api/accounts/a@sip.example.org/info").status == 503)
        }
    }
}
