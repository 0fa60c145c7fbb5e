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
}
