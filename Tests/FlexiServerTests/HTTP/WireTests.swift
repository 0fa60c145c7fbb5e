import Foundation
import Testing

@testable import FlexiServer

@Suite("Wire rules")
struct WireTests {
    @Test func anUnknownPathIsNotFound() async throws {
        try await withServer { server in
            for path in ["/api/nope", "/nope", "/api", "/api/accounts/me/nope"] {
                let reply = try await server.get(path)
                #expect(reply.status == 404)
                #expect(reply.header("Content-Type") == "application/json")
                #expect(reply.text == #"{"message":"Not found."}"#)
            }
        }
    }

    @Test func anotherMethodIsToldWhichAreAllowed() async throws {
        try await withServer { server in
            let reply = try await server.send("DELETE", "/api/ping")
            #expect(reply.status == 405)
            #expect(reply.header("Allow") == "GET, HEAD")
            #expect(reply.text == #"{"message":"This address does not know the method."}"#)
            let changing = try await server.send("PATCH", "/api/accounts/me/api_key")
            #expect(changing.status == 405)
            #expect(changing.header("Allow") == "GET, POST")
            let head = try await server.send("HEAD", "/api/accounts/me/api_key")
            #expect(head.status == 405)
        }
    }

    @Test func aTrailingSlashChangesNothing() async throws {
        try await withServer { server in
            for (path, status) in [("/api/ping/", 200), ("/healthz/", 200), ("/api/accounts/me/", 422)] {
                let reply = try await server.get(path)
                #expect(reply.status == status)
            }
        }
    }

    @Test func pathSegmentsArePercentDecoded() async throws {
        try await withServer { server in
            _ = try await server.account("alice")
            for segment in [
                "alice@sip.example.org", "alice%40sip.example.org", "sip%3Aalice%40sip.example.org",
                "sip:alice@sip.example.org",
                "%61lice@sip.example.org", "ALICE@sip.example.org",
            ] {
                #expect(try await server.get("/api/accounts/\(segment)/info").status == 200, "\(segment)")
            }
            for segment in [
                "alice%4", "alice%zz@sip.example.org", "%FF@sip.example.org", "alice%00@sip.example.org", "alice",
            ] {
                #expect(try await server.get("/api/accounts/\(segment)/info").status == 404, "\(segment)")
            }
        }
    }

    @Test func headIsGetWithoutItsBody() async throws {
        try await withServer { server in
            let reply = try await server.send("HEAD", "/api/ping")
            #expect(reply.status == 200)
            #expect(reply.header("Content-Length") == "4")
            #expect(reply.body.isEmpty)
        }
    }

    @Test func aBodyThatIsNotJSONIsRefused() async throws {
        try await withServer { server in
            let key = try await server.adminKey()
            for type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
                let reply = try await server.wire.send(
                    "POST", "/api/accounts", [("x-api-key", key), ("Content-Type", type)],
                    body: Array("username=x".utf8))
                #expect(reply.status == 415)
                #expect(reply.text == #"{"message":"The body must be JSON."}"#)
            }
            for type in [
                [], [("Content-Type", "application/json; charset=utf-8")], [("Content-Type", "application/vnd.x+json")],
            ] {
                let reply = try await server.wire.send(
                    "POST", "/api/accounts", [("x-api-key", key)] + type, body: Array("{}".utf8))
                #expect(reply.status == 422)
                #expect(reply.errors("username") != nil)
            }
        }
    }

    @Test func aMalformedBodyIsRefusedWithoutDetails() async throws {
        try await withServer { server in
            let key = try await server.adminKey()
            for (body, message) in [
                ("{", "The body is not valid JSON."), ("[]", "The body must be a JSON object."),
                ("\"x\"", "The body must be a JSON object."),
                (String(repeating: "[", count: 40), "The body is nested too deeply."),
            ] {
                let reply = try await server.post("/api/accounts", [("x-api-key", key)], json: body)
                #expect(reply.status == 422)
                #expect(reply.text == "{\"message\":\"\(message)\",\"errors\":{}}")
            }
            let twice = try await server.post(
                "/api/accounts", [("x-api-key", key)], json: #"{"username":"a","username":"b"}"#)
            #expect(twice.status == 422)
            #expect(twice.errors("username") == ["The body has this field twice."])
            let empty = try await server.wire.send("POST", "/api/accounts", [("x-api-key", key)])
            #expect(empty.status == 422)
            #expect(empty.errors("username") != nil)
        }
    }

    @Test func aLargeBodyIsRefused() async throws {
        try await withServer(["MAX_BODY_BYTES": "2048"]) { server in
            let key = try await server.adminKey()
            let large = Array(("{\"username\":\"" + String(repeating: "a", count: 2_048) + "\"}").utf8)
            let announced = try await server.wire.send("POST", "/api/accounts", [("x-api-key", key)], body: large)
            #expect(announced.status == 413)
            #expect(announced.text == #"{"message":"The body is larger than 2048 bytes."}"#)
            // Also where nobody reads it.
            let unread = try await server.wire.send(
                "POST", "/api/accounts/me/api_key", [("x-api-key", key)], body: large)
            #expect(unread.status == 413)
            let head =
                "POST /api/accounts HTTP/1.1\r\nHost: x\r\nConnection: close\r\nx-api-key: \(key)\r\nTransfer-Encoding: chunked\r\n\r\n"
            let chunk = Array((String(large.count, radix: 16) + "\r\n").utf8) + large + Array("\r\n0\r\n\r\n".utf8)
            #expect(try await server.wire.send(Array(head.utf8) + chunk).status == 413)
        }
    }

    @Test func aClientThatWaitsForItIsToldToSendItsBody() async throws {
        try await withServer { server in
            func head(_ length: Int) -> [UInt8] {
                Array(
                    """
                    POST /api/accounts/with-token HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\
                    Content-Length: \(length)\r\n\r\n
                    """.utf8)
            }
            try await server.wire.converse { say in
                func sayText(_ bytes: [UInt8], until end: String) async throws -> String {
                    let answer = try await say(bytes) { String(decoding: $0, as: UTF8.self).contains(end) }
                    return String(decoding: answer, as: UTF8.self)
                }
                for _ in 0..<2 {
                    let interim = try await sayText(head(2), until: "\r\n\r\n")
                    #expect(interim == "HTTP/1.1 100 Continue\r\n\r\n")
                    let answer = try await sayText(Array("{}".utf8), until: "}")
                    #expect(answer.hasPrefix("HTTP/1.1 422 "))
                }
                let refusal = try await sayText(head(1 << 20), until: "}")
                #expect(refusal.hasPrefix("HTTP/1.1 413 "))
            }
        }
    }

    @Test func aClientThatHangsUpInItsBodyIsNoDefect() async throws {
        try await withServer { server in
            let start = "POST /api/accounts/with-token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{"
            try await server.wire.converse { say in _ = try await say(Array(start.utf8)) { _ in true } }
            while !server.log.lines.contains(where: { $0.contains("request answered") }) { await Task.yield() }
            #expect(server.log.lines.contains { $0.contains("\"http.status\":422") })
            #expect(!server.log.lines.contains { $0.contains("unexpected error") })
        }
    }

    @Test func aRequestHasAnIDThatTheLogKnows() async throws {
        try await withServer { server in
            let given = try await server.get("/api/ping", [("X-Request-Id", "abc-123")])
            #expect(given.header("X-Request-Id") == "abc-123")
            let own = try #require(
                try await server.get("/api/ping", [("X-Request-Id", "evil\"id")]).header("X-Request-Id"))
            #expect(own != "evil\"id")
            let ids = server.log.events("request answered").map { $0["request.id"] as? String }
            #expect(ids == ["abc-123", own])
        }
    }

    @Test func tokensAndUnknownPathsAreNotLogged() async throws {
        try await withServer { server in
            _ = try await server.get("/provisioning/s3cretToken123?x=s3cretQuery")
            _ = try await server.get("/provisioning/qrcode/s3cretToken123")
            _ = try await server.get("/provisioning/s3cretToken123/more")
            _ = try await server.get("/api/accounts/alice@sip.example.org/info?s3cret=1")
            let paths = server.log.events("request answered").map { $0["http.path"] as? String }
            #expect(
                paths == [
                    "/provisioning/{provisioning_token}", "/provisioning/qrcode/{provisioning_token}",
                    "/provisioning/…/…",
                    "/api/accounts/alice@sip.example.org/info",
                ])
            #expect(!server.log.lines.joined().contains("s3cret"))
        }
    }

    @Test func anUnexpectedErrorIsLoggedAndNotShown() async throws {
        try await withServer { server in
            let account = try await server.account()
            let key = try await server.apiKey(of: account)
            try await DatabaseOwner(server.database).run("ALTER TABLE flexi.email_changes RENAME TO gone")
            let reply = try await server.get("/api/accounts/me", [("x-api-key", key)])
            #expect(reply.status == 500)
            #expect(reply.text == #"{"message":"Something went wrong on the server."}"#)
            let logged = try #require(server.log.events("unexpected error").first?["error"] as? String)
            #expect(logged.contains("email_changes"))
        }
    }

    @Test func forwardedAddressesOfStrangersAreReportedOnce() async throws {
        try await withServer { server in
            for _ in 0..<3 { _ = try await server.get("/api/ping", [("X-Forwarded-For", "203.0.113.7")]) }
            #expect(
                server.log.events("X-Forwarded-For is ignored: TRUSTED_PROXIES does not name who sent it").count == 1)
        }
    }
}

extension TestServer {
    /// The API key of a super administrator.
    func adminKey() async throws -> String {
        try await self.apiKey(of: self.account("boss", admin: .super))
    }
}
