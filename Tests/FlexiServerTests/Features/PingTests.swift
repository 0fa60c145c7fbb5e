import Testing

@Suite("Ping")
struct PingTests {
    @Test func pingIsAnsweredInPlainText() async throws {
        try await withServer { server in
            let reply = try await server.get("/api/ping", [("Accept", "application/json")])
            #expect(reply.status == 200)
            #expect(reply.header("Content-Type") == "text/plain; charset=utf-8")
            #expect(reply.text == "pong")
        }
    }
}
