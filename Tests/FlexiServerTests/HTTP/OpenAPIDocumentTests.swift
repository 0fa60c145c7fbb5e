import Testing

@testable import FlexiServer

@Suite("docs/openapi.yaml")
struct OpenAPIDocumentTests {
    @Test func theDocumentAndTheRouterHaveTheSameRoutes() async throws {
        let documented = try Set(OpenAPIDocument().operations.map(\.normalRoute))
        try await withServer { server in
            let served = Set(server.routes().map { OpenAPIDocument.normal($0.description) })
            #expect(served.subtracting(documented).sorted() == [], "served, but not documented")
            #expect(documented.subtracting(served).sorted() == [], "documented, but not served")
        }
    }

    @Test func theDocumentSaysWhoMayUseARoute() async throws {
        let operations = try OpenAPIDocument().operations
        try await withServer { server in
            for (number, operation) in operations.enumerated() {
                let target = operation.path.replacing(/\{[^}]*\}/, with: "1")
                let json = operation.method == "GET" ? nil : "{}"
                let stranger = try await server.send(operation.method, target, json: json)
                // One account each: some routes delete the account or its key.
                let key = try await ("x-api-key", server.apiKey(of: server.account("user\(number)")))
                let user = try await server.send(operation.method, target, [key], json: json)
                let isRefused = user.json["message"] as? String == "Only administrators may do this."
                let found: OpenAPIDocument.Access =
                    stranger.errors("from") == nil ? .anybody : isRefused ? .administrator : .account
                #expect(found == operation.access, "\(operation.normalRoute)")
            }
        }
    }
}
