import Foundation
import Testing

@testable import FlexiServer

@Suite("Bad input")
struct BadInputTests {
    private static let seed: UInt64 = 20_220_712
    private static let valuesOfAField = 60

    /// Every field of every body, one value after the other that the document forbids.
    @Test func everyForbiddenValueOfEveryFieldIsRefusedByName() async throws {
        try await withServer(WholeAPI.settings) { server in
            let headers = try await server.typist()
            let full = try await FullAccount.make("own", on: server)
            let before = try await server.contents()
            var random = SeededNumbers(seed: Self.seed)
            var sent = 0
            for (route, fields) in try Self.routesWithBody(of: server) {
                let body = try #require(full.body(route, "new"), "FullAccount has no body for \(route)")
                let bad = fields.map { BadInput($0, count: Self.valuesOfAField, using: &random) }
                var cases = bad.flatMap { input in input.values.map { [(input.field.name, $0)] } }
                // All broken rules are reported at once.
                for _ in 0..<20 {
                    cases.append(
                        bad.compactMap { input in
                            input.values.randomElement(using: &random).map { (input.field.name, $0) }
                        })
                }
                for part in stride(from: 0, to: cases.count, by: 50).map({ cases[$0..<min($0 + 50, cases.count)] }) {
                    let requests = part.map { changes in
                        HTTPMessage(
                            method: route.method, target: full.target(route), headers: headers,
                            body: Array(Self.replacing(changes, in: body).utf8))
                    }
                    let replies = try await server.wire.pipeline(requests)
                    #expect(replies.count == requests.count)
                    for (changes, reply) in zip(part, replies) {
                        let named = reply.json["errors"] as? [String: [String]] ?? [:]
                        let isRight = reply.status == 422 && changes.allSatisfy { named[$0.0]?.isEmpty == false }
                        #expect(isRight, "\(route) with \(Self.shown(changes)): \(reply.status) \(reply.text)")
                    }
                    sent += part.count
                }
                #expect(try await server.contents() == before, "\(route) stored something")
            }
            #expect(sent >= 2_000)
            #expect(server.log.events("unexpected error").isEmpty)
        }
    }

    /// Bodies that are no JSON object, or no end of one.
    @Test func everyMalformedBodyIsRefused() async throws {
        try await withServer(WholeAPI.settings) { server in
            let headers = try await server.typist()
            let full = try await FullAccount.make("own", on: server)
            let before = try await server.contents()
            var random = SeededNumbers(seed: Self.seed + 1)
            for (route, fields) in try Self.routesWithBody(of: server) {
                let body = try Array(#require(full.body(route, "new")).utf8)
                let field = try #require(fields.first).name
                var bodies = Self.malformed.map { Array($0.utf8) }
                bodies += [8, 100, 10_000].map { Array("{\"\(field)\":\(String(repeating: "[", count: $0))".utf8) }
                bodies.append(Array("{\"\(field)\":\(Self.nest(33))}".utf8))
                bodies.append(Array("{\"\(field)\":\"a\",\"\(field)\":\"b\"}".utf8))
                // Cut off anywhere.
                for _ in 0..<10 { bodies.append(Array(body.prefix(Int.random(in: 1..<body.count, using: &random)))) }
                // Bytes that are no UTF-8, inside of a text.
                for bytes in [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]] as [[UInt8]] {
                    bodies.append(Array("{\"\(field)\":\"a".utf8) + bytes + Array("\"}".utf8))
                }
                let requests = bodies.map {
                    HTTPMessage(method: route.method, target: full.target(route), headers: headers, body: $0)
                }
                let replies = try await server.wire.pipeline(requests)
                #expect(replies.count == requests.count)
                for (body, reply) in zip(bodies, replies) {
                    #expect(
                        reply.status == 422,
                        "\(route): \(String(decoding: body.prefix(80), as: UTF8.self)): \(reply.text)")
                    #expect(reply.json["message"] is String)
                }
            }
            #expect(try await server.contents() == before)
            #expect(server.log.events("unexpected error").isEmpty)
        }
    }

    @Test func bodiesOfEightMegabytesAreRefused() async throws {
        try await withServer(WholeAPI.settings) { server in
            let headers = try await server.typist()
            let full = try await FullAccount.make("own", on: server)
            let before = try await server.contents()
            let text = String(repeating: "a", count: 8 * 1024 * 1024)
            for (route, fields) in try Self.routesWithBody(of: server) {
                let field = try #require(fields.first).name
                let body = Array(#"{"\#(field)":"\#(text)"}"#.utf8)
                let reply = try await server.wire.send(route.method, full.target(route), headers, body: body)
                #expect(reply.status == 413, "\(route)")
            }
            #expect(try await server.contents() == before)
        }
    }

    /// Segments of paths that stand for ids, addresses and tokens.
    @Test func noSegmentIsTooStrange() async throws {
        try await withServer(WholeAPI.settings) { server in
            let headers = try await server.typist()
            let full = try await FullAccount.make("own", on: server)
            let before = try await server.contents()
            for route in server.routes() where !route.captures.isEmpty {
                // An unknown token gets the configuration without an account.
                var admitted = route.path == "/provisioning/{provisioning_token}" ? [200, 404, 422] : [403, 404, 422]
                if AccessMatrix.rows.contains(where: { $0.route == route && $0.needsNeighbour }) {
                    admitted.append(503)
                }
                let targets = route.captures.flatMap { name in
                    Self.segments.map { segment in
                        route.captures.reduce(route.path) { path, other in
                            path.replacing(
                                "{\(other)}", with: other == name ? segment : full.value(of: other, in: route))
                        }
                    }
                }
                let body = full.body(route, "new").map { Array($0.utf8) }
                let requests = targets.map {
                    HTTPMessage(method: route.method, target: $0, headers: headers, body: body ?? Array("{}".utf8))
                }
                let replies = try await server.wire.pipeline(requests)
                #expect(replies.count == requests.count)
                for (target, reply) in zip(targets, replies) {
                    #expect(admitted.contains(reply.status), "\(route.method) \(target.prefix(120)): \(reply.status)")
                }
            }
            #expect(try await server.contents() == before)
            #expect(server.log.events("unexpected error").isEmpty)
        }
    }

    @Test func noParameterOfAQueryIsTooStrange() async throws {
        try await withServer(WholeAPI.settings) { server in
            let headers = try await server.typist()
            for operation in try OpenAPIDocument().operations where !operation.queryParameters.isEmpty {
                let targets = operation.queryParameters.flatMap { name in
                    Self.segments.map { "\(operation.path)?\(name)=\($0)" } + ["\(operation.path)?\(name)=1&\(name)=2"]
                }
                let replies = try await server.wire.pipeline(
                    targets.map { HTTPMessage(method: operation.method, target: $0, headers: headers) })
                #expect(replies.count == targets.count)
                for (target, reply) in zip(targets, replies) {
                    // What is not wrong narrows the list down to nothing.
                    #expect(
                        reply.status == 422 || reply.status == 200 || reply.status == 404, "\(target): \(reply.status)")
                }
            }
            #expect(server.log.events("unexpected error").isEmpty)
        }
    }

    @Test(arguments: [
        "From", "x-api-key", "Authorization", "Cookie", "X-Forwarded-For", "If-None-Match", "X-Request-Id",
    ])
    func noHeaderIsTooStrange(name: String) async throws {
        try await withServer(WholeAPI.settings) { server in
            let alice = try await server.account()
            var random = SeededNumbers(seed: Self.seed + 2)
            let alphabet = Array(#"abc:@<>"\;,=% Digestusername()[]?/'~*"#.utf8) + [0xC3, 0xA4, 0xFF, 0x09]
            let values = (0..<100).map { _ in
                (0..<Int.random(in: 1...120, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0x61
                }
            }
            let requests = values.map { value in
                var headers = [(name, String(decoding: value, as: UTF8.self))]
                if name != "From" { headers.append(alice.from) }
                return HTTPMessage(method: "GET", target: "/api/accounts/me", headers: headers)
            }
            let replies = try await server.wire.pipeline(requests)
            #expect(replies.count == requests.count)
            for (value, reply) in zip(values, replies) {
                #expect([401, 422].contains(reply.status), "\(value): \(reply.status)")
                if reply.status == 422 { #expect(reply.errors("from") != nil) }
            }
            #expect(server.log.events("unexpected error").isEmpty)
        }
    }

    // MARK: Cases

    /// What the document says that each route reads, under the router's names.
    private static func routesWithBody(of server: TestServer) throws -> [(ServedRoute, [OpenAPIDocument.Field])] {
        let documented = try Dictionary(
            uniqueKeysWithValues: OpenAPIDocument().operations.map { ($0.normalRoute, $0.fields) })
        let routes = server.routes().compactMap { route in
            documented[OpenAPIDocument.normal(route.description)].flatMap { $0.isEmpty ? nil : (route, $0) }
        }
        try #require(routes.count >= 10)
        return routes
    }

    private static func replacing(_ changes: [(String, String)], in body: String) -> String {
        let members = (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any] ?? [:]
        let kept = members.filter { member in !changes.contains { $0.0 == member.key } }
        let texts =
            kept.map { (JSONText.encode($0.key), JSONText.encode($0.value)) }
            + changes.map { (JSONText.encode($0.0), $0.1) }
        return "{" + texts.map { "\($0.0):\($0.1)" }.joined(separator: ",") + "}"
    }

    private static func shown(_ changes: [(String, String)]) -> String {
        changes.map { "\($0.0)=\($0.1.prefix(60))" }.joined(separator: " ")
    }

    private static func nest(_ depth: Int) -> String {
        String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }

    private static let malformed = [
        "[]", "null", "1", "true", #""text""#, "{", "}", "{}{}", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{a:1}"#,
        "{'a':1}",
        #"{"a":01}"#, #"{"a":+1}"#, #"{"a":.5}"#, #"{"a":1.}"#, #"{"a":NaN}"#, #"{"a":"\x"}"#, #"{"a":"\u12"}"#,
        #"{"a":"\ud800"}"#, #"{"a":"\udc00\ud800"}"#, "{\"a\":\"\u{1}\"}", "{\"a\":\"\n\"}", "\u{FEFF}{}", "// a\n{}",
        "a=b&c=d", "<a/>",
    ]

    /// None of them means anything that is there.
    private static let segments = [
        "0", "-1", "+1", "1.0", "1e3", "9223372036854775807", "9223372036854775808", "99999999999999999999999999",
        "%31%00", "%00",
        "%ff", "%c3%28", "%", "%4", "%zz", "%2F", "%2e%2e", "a%20b", "nobody", "nobody%40nowhere.example.org", "sip:",
        "sip:@", "@", "@@",
        "a@b@c", "%22%3B--", "'%20OR%201=1--", "%F0%9F%98%80", "%E2%80%AE", "*", "null", "true", "[]", "{}", "~",
        String(repeating: "a", count: 5_000), String(repeating: "%61", count: 2_000),
        String(repeating: "9", count: 400),
    ]
}

extension TestServer {
    /// The headers of somebody who may send to every route.
    fileprivate func typist() async throws -> [(String, String)] {
        let admin = try await self.account("typist", admin: .super)
        return try await [("x-api-key", self.apiKey(of: admin)), ("Content-Type", "application/json")]
    }
}
