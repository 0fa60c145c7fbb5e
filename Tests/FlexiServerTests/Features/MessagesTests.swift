import Foundation
import Testing

@testable import FlexiServer

@Suite("Messages")
struct MessagesTests {
    private static let taken = StandIn.Reply.answerAndStay("Status: Ok\n\nId: DqipYLWwWZ\n\n")

    /// Lends a server with a linphone-daemon beside it, and an administrator's key.
    private static func withDaemon(
        _ settings: [String: String] = [:], reply: @escaping @Sendable (String) async -> StandIn.Reply = { _ in taken },
        _ body: (TestServer, StandIn, (String, String)) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            let path = folder.appending(path: "daemon").path
            try await StandIn.with(.unixSocket(path), reply: reply) { standIn in
                try await withServer(
                    settings.merging(["APP_LINPHONE_DAEMON_UNIX_PATH": path]) { given, _ in given }
                ) { server in
                    try await body(server, standIn, server.administrator(.domain))
                }
            }
        }
    }

    @Test(arguments: [
        ("sip:bob@sip.example.org", "sip:bob@sip.example.org"), ("bob@sip.example.org", "sip:bob@sip.example.org"),
        ("sips:bob@sip.example.org:5061;transport=tls", "sips:bob@sip.example.org:5061;transport=tls"),
        (" bob@192.0.2.7 ", "sip:bob@192.0.2.7"),
    ])
    func aMessageIsSentAndItsIdReturned(to: String, uri: String) async throws {
        try await Self.withDaemon { server, standIn, admin in
            let reply = try await server.post(
                "/api/messages", [admin], json: #"{"to":"\#(to)","body":"  Ça va ?\r\nquit\n"}"#)
            #expect(reply.status == 200)
            #expect(reply.header("Content-Type") == "application/json")
            #expect(reply.text == #"{"id":"DqipYLWwWZ"}"#)
            #expect(standIn.commands == ["message \(uri) Ça va ?\u{2028}quit\n"])
            #expect(!server.log.lines.contains { $0.contains("va ?") })
        }
    }

    @Test(arguments: [
        // The body, and the fields that it breaks.
        ("{}", ["body", "to"]), (#"{"to":"bob@sip.example.org"}"#, ["body"]),
        (#"{"to":"bob@sip.example.org","body":" \n "}"#, ["body"]), (#"{"to":1,"body":2}"#, ["body", "to"]),
        (#"{"to":"bob","body":"x"}"#, ["to"]), (#"{"to":"sip:sip.example.org","body":"x"}"#, ["to"]),
        (#"{"to":"tel:+33612345678","body":"x"}"#, ["to"]), (#"{"to":"<sip:bob@sip.example.org>","body":"x"}"#, ["to"]),
        (#"{"to":"bob@sip.example.org\nquit","body":"x"}"#, ["to"]),
        (#"{"to":"bob@sip.example.org\u0000","body":"x\u0000"}"#, ["body", "to"]),
        (#"{"to":"bob@sip.example.org quit","body":"x"}"#, ["to"]),
        (#"{"to":"bob@sip.example.org?body=x","body":"x"}"#, ["to"]),
        (#"{"to":"bob@sip.example.org","body":"a\u001b[2Jb"}"#, ["body"]),
        (#"{"to":"bob@sip.example.org","body":"\#(String(repeating: "é", count: 4_097))"}"#, ["body"]),
    ])
    func everyBrokenFieldIsNamedAndNothingSent(body: String, fields: [String]) async throws {
        try await Self.withDaemon { server, standIn, admin in
            let reply = try await server.post("/api/messages", [admin], json: body)
            #expect(reply.status == 422)
            #expect((reply.json["errors"] as? [String: [String]])?.keys.sorted() == fields)
            #expect(standIn.commands == [])
        }
    }

    @Test func anAddressThatTheDaemonRefusesIsTheCallersFault() async throws {
        try await Self.withDaemon(reply: { _ in .answerAndStay("Status: Error\nReason: Bad sip uri.\n") }) {
            server, _, admin in
            let reply = try await server.post(
                "/api/messages", [admin], json: #"{"to":"bob@sip.example.org","body":"x"}"#)
            #expect(reply.status == 422)
            #expect(reply.errors("to") == ["The to must be a SIP address such as sip:user@example.org."])
        }
    }

    @Test func onlyAdministratorsSend() async throws {
        try await Self.withDaemon { server, standIn, _ in
            let key = try await server.apiKey(of: server.account("alice"))
            let json = #"{"to":"bob@sip.example.org","body":"x"}"#
            #expect(try await server.post("/api/messages", [("x-api-key", key)], json: json).status == 403)
            #expect(try await server.post("/api/messages", json: json).status == 422)
            #expect(standIn.commands == [])
        }
    }

    @Test func withoutADaemonTheRouteIsThereAndUnavailable() async throws {
        try await withServer { server in
            let reply = try await server.post(
                "/api/messages", [server.administrator()], json: #"{"to":"bob@sip.example.org","body":"x"}"#)
            #expect(reply.status == 503)
            #expect(reply.text == #"{"message":"This server cannot send SIP messages."}"#)
        }
    }

    @Test func aDaemonThatIsDownOrSlowOrMadIsUnavailable() async throws {
        for reply in [StandIn.Reply.silence, .hangUp, .answer("I am a teapot")] {
            try await Self.withDaemon(["NEIGHBOUR_TIMEOUT_SECONDS": "1"], reply: { _ in reply }) { server, _, admin in
                let reply = try await server.post(
                    "/api/messages", [admin], json: #"{"to":"bob@sip.example.org","body":"x"}"#)
                #expect(reply.status == 503)
                #expect(reply.text == #"{"message":"The message could not be sent; try again later."}"#)
                #expect(server.log.events("neighbour failed").count == 1)
            }
        }
    }

    @Test func othersAreAnsweredWhileTheDaemonIsNot() async throws {
        let gate = TestGate()
        try await Self.withDaemon(
            ["NEIGHBOUR_TIMEOUT_SECONDS": "60"],
            reply: { _ in
                await gate.wait()
                return Self.taken
            }
        ) { server, standIn, admin in
            try await withThrowingTaskGroup(of: Int.self) { slow in
                for _ in 0..<20 {
                    slow.addTask {
                        try await server.post(
                            "/api/messages", [admin], json: #"{"to":"bob@sip.example.org","body":"x"}"#
                        ).status
                    }
                }
                try await until { standIn.commands.count == 1 }
                for status in try await race(40, { _ in try await server.get("/api/accounts/me", [admin]).status }) {
                    #expect(status == 200)
                }
                #expect(standIn.commands.count == 1, "the daemon has answered nobody so far")
                gate.open()
                for try await status in slow { #expect(status == 200) }
            }
        }
    }
}
