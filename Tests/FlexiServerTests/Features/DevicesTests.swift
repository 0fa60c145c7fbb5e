import Foundation
import Testing

@testable import FlexiServer

@Suite("Devices")
struct DevicesTests {
    private static let answer = #"""
        {"contacts":[{"unique-id":"\"<urn:uuid:c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38>\"","user-agent":"Phone \"1\"","expires-at":1670003600,"update-time":1670000000},{"unique-id":"fs-gen-7"}]}
        """#

    /// Lends a server whose accounts are registered at a Flexisip, and an account's key.
    private static func withProxy(
        _ settings: [String: String] = [:], reply: @escaping @Sendable (String) async -> StandIn.Reply,
        _ body: (TestServer, StandIn, (String, String)) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            try Data("99".utf8).write(to: folder.appending(path: "pid"))
            try await StandIn.with(.unixSocket("\(folder.path)/flexisip-proxy-99"), reply: reply) { standIn in
                try await withServer(
                    settings.merging([
                        "APP_FLEXISIP_PROXY_PID": "\(folder.path)/pid", "FLEXISIP_SOCKET_DIRECTORY": folder.path,
                    ]) { given, _ in given }
                ) { server in
                    let key = try await server.apiKey(of: server.account("alice"))
                    try await body(server, standIn, ("x-api-key", key))
                }
            }
        }
    }

    @Test func theListIsAnObjectByUUID() async throws {
        try await Self.withProxy(reply: { _ in .answer(Self.answer) }) { server, _, key in
            let reply = try await server.get("/api/accounts/me/devices", [key])
            #expect(reply.status == 200)
            #expect(reply.header("Content-Type") == "application/json")
            #expect(
                reply.text == #"{"urn:uuid:c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38":"#
                    + #"{"uuid":"urn:uuid:c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38","expires_at":"2022-12-02T17:53:20.000000Z","#
                    + #""update_time":"2022-12-02T16:53:20.000000Z","user_agent":"Phone \"1\""},"#
                    + #""fs-gen-7":{"uuid":"fs-gen-7","expires_at":null,"update_time":null,"user_agent":""}}"#)
        }
    }

    @Test func nobodyIsAnEmptyObject() async throws {
        try await Self.withProxy(
            reply: { _ in .answer("Error 404: Not Found. The Registrar does not contain the requested AOR.") }
        ) { server, _, key in
            let reply = try await server.get("/api/accounts/me/devices", [key])
            #expect(reply.status == 200)
            #expect(reply.text == "{}")
        }
    }

    @Test(arguments: [
        "urn:uuid:c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38", "urn%3Auuid%3Ac5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38",
        "c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38", "%22%3Curn:uuid:c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38%3E%22",
        "c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38/",
    ])
    func aDeviceIsRemovedByAnyOfItsNames(segment: String) async throws {
        try await Self.withProxy(reply: { _ in .answer(Self.answer) }) { server, standIn, key in
            let reply = try await server.send("DELETE", "/api/accounts/me/devices/\(segment)", [key])
            #expect(reply.status == 200)
            #expect(reply.text == "{}")
            #expect(
                standIn.commands.last
                    == "REGISTRAR_DELETE sip:alice@sip.example.org \"<urn:uuid:c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38>\"")
        }
    }

    @Test(arguments: [
        "urn:uuid:c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e39", "x", "x%20sip:bob@sip.example.org", "%00",
        "%0AREGISTRAR_CLEAR",
    ])
    func anUnknownDeviceIsNotFound(segment: String) async throws {
        try await Self.withProxy(reply: { _ in .answer(Self.answer) }) { server, standIn, key in
            let reply = try await server.send("DELETE", "/api/accounts/me/devices/\(segment)", [key])
            #expect(reply.status == 404)
            #expect(reply.text == #"{"message":"Not found."}"#)
            #expect(standIn.commands.allSatisfy { $0 == "REGISTRAR_GET sip:alice@sip.example.org" })
        }
    }

    @Test func withoutARegistrarTheRoutesAreThereAndUnavailable() async throws {
        try await withServer { server in
            let key = try await ("x-api-key", server.apiKey(of: server.account("alice")))
            for (method, path) in [("GET", "/api/accounts/me/devices"), ("DELETE", "/api/accounts/me/devices/x")] {
                let reply = try await server.send(method, path, [key])
                #expect(reply.status == 503)
                #expect(reply.text == #"{"message":"This server is not connected to a SIP registrar."}"#)
                #expect(try await server.send(method, path).status == 422, "nobody has said who asks")
            }
        }
    }

    @Test func aRegistrarThatIsDownOrSlowOrMadIsUnavailable() async throws {
        for reply in [StandIn.Reply.silence, .hangUp, .answer("I am a teapot")] {
            try await Self.withProxy(["NEIGHBOUR_TIMEOUT_SECONDS": "1"], reply: { _ in reply }) { server, _, key in
                for (method, path) in [("GET", "/api/accounts/me/devices"), ("DELETE", "/api/accounts/me/devices/x")] {
                    let reply = try await server.send(method, path, [key])
                    #expect(reply.status == 503)
                    #expect(reply.text == #"{"message":"The SIP registrar does not answer; try again later."}"#)
                }
                #expect(server.log.events("neighbour failed").allSatisfy { $0["neighbour"] as? String == "registrar" })
                #expect(server.log.events("neighbour failed").count == 2)
            }
        }
    }

    @Test func othersAreAnsweredWhileTheRegistrarIsNot() async throws {
        let gate = TestGate()
        try await Self.withProxy(
            ["NEIGHBOUR_TIMEOUT_SECONDS": "60"],
            reply: { _ in
                await gate.wait()
                return .answer(Self.answer)
            }
        ) { server, standIn, key in
            try await withThrowingTaskGroup(of: Int.self) { slow in
                for _ in 0..<20 {
                    slow.addTask { try await server.get("/api/accounts/me/devices", [key]).status }
                }
                try await until { standIn.commands.count == 1 }
                for status in try await race(40, { _ in try await server.get("/api/accounts/me", [key]).status }) {
                    #expect(status == 200)
                }
                #expect(standIn.commands.count == 1, "the registrar has answered nobody so far")
                gate.open()
                for try await status in slow { #expect(status == 200) }
            }
        }
    }
}
