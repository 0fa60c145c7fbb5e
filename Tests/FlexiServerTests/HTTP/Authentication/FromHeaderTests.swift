import Testing

@testable import FlexiServer

private let me = "/api/accounts/me"

@Suite("From header")
struct FromHeaderTests {
    @Test func fromIsRequired() async throws {
        try await withServer { server in
            let reply = try await server.get(me)
            #expect(reply.status == 422)
            #expect(reply.header("Content-Type") == "application/json")
            #expect(
                reply.text
                    == #"{"message":"The request is not valid.","errors":{"from":["The From header is missing."]}}"#)
            #expect(reply.headers("WWW-Authenticate").isEmpty)
        }
    }

    @Test func garbageIsNoFrom() async throws {
        try await withServer { server in
            let key = try await server.apiKey(of: server.account())
            for from in [
                "alice", "tel:+33612345678", "sip:al ice@sip.example.org", "<sip:alice@sip.example.org", "sip:alice@@",
            ] {
                let reply = try await server.get(me, [("From", from), ("x-api-key", key)])
                #expect(reply.status == 422, "\(from)")
                #expect(reply.errors("from") == ["The From header must be a SIP address."])
            }
        }
    }

    @Test(arguments: [
        "sip:alice@sip.example.org", "sips:alice@sip.example.org", "SIP:Alice@SIP.example.org",
        "<sip:alice@sip.example.org>;tag=x",
        "\"A. Lice\" <sip:%61lice@sip.example.org;transport=tls>", "alice@sip.example.org",
    ])
    func fromIsReadAsClientsWriteIt(from: String) async throws {
        try await withServer { server in
            let key = try await server.apiKey(of: server.account())
            #expect(try await server.get(me, [("From", from), ("x-api-key", key)]).status == 200)
        }
    }
}
