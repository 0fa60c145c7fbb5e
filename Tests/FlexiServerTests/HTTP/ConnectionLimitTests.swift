import Testing

@testable import FlexiServer

@Suite("Connections of clients")
struct ConnectionLimitTests {
    @Test func oneTooManyWaitsUntilAnotherHasGone() async throws {
        try await withServer(["MAX_CONNECTIONS": "1"]) { server in
            var waiting: Task<HTTPReply, any Error>?
            try await server.wire.keepingAlive { ask in
                let first = try await ask("/api/ping")
                #expect(first.status == 200)
                waiting = Task { try await server.get("/api/ping") }
                // Whoever were let in would be answered between these.
                for _ in 0..<200 { _ = try await ask("/api/ping") }
                #expect(server.log.events("request answered").count == 201)
                #expect(server.log.events("as many clients are connected as may be; others wait").count == 1)
            }
            let reply = try await #require(waiting).value
            #expect(reply.status == 200)
        }
    }

    @Test(arguments: [(64, 16), (256, 128), (1_024, 768), (524_288, 393_216)])
    func someFilesAreLeftForOthers(files: Int, connections: Int) {
        #expect(ConnectionLimit.maximum(files: files) == connections)
    }
}
