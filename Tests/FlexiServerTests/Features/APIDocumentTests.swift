import Foundation
import Testing

@Suite("The served API document")
struct APIDocumentTests {
    @Test func itIsTheOneOfTheRepository() async throws {
        try await withServer { server in
            let reply = try await server.get("/api/openapi.yaml")
            #expect(reply.status == 200)
            #expect(reply.header("Content-Type") == "application/yaml")
            let document = try Data(contentsOf: Migrations.root.appending(path: "docs/openapi.yaml"))
            #expect(Data(reply.body) == document)
            let head = try await server.send("HEAD", "/api/openapi.yaml")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
        }
    }
}
