import Foundation
import Testing

@testable import FlexiServer

/// What holds for addresses and numbers alike.
@Suite("Changes of address and number")
struct ProfileChangesTests {
    enum Field: String, CaseIterable, CustomTestStringConvertible {
        case email
        case phone

        var request: String { "\(self.confirmation)/request" }
        var confirmation: String { "/api/accounts/me/\(self.rawValue)" }
        var body: String { #"{"\#(self.rawValue)":"\#(self == .email ? "new@example.org" : "+33612345678")"}"# }
        var testDescription: String { self.rawValue }
    }

    private static let drivers = ["MAIL_DRIVER": "log", "SMS_DRIVER": "log"]

    private func key(_ server: TestServer) async throws -> (String, String) {
        try await ("x-api-key", server.apiKey(of: server.account()))
    }

    private func changes(_ server: TestServer) async throws -> Int {
        try await server.count("email_changes") + server.count("phone_changes")
    }

    @Test(arguments: [
        (Field.email.request, "{}", "email"), (Field.email.request, #"{"email":""}"#, "email"),
        (Field.email.request, #"{"email":"a@b@c"}"#, "email"), (Field.email.request, #"{"email":5}"#, "email"),
        (Field.email.request, #"{"email":"a@example.org\r\nBcc: b@example.org"}"#, "email"),
        (Field.email.confirmation, "{}", "code"), (Field.email.confirmation, #"{"code":"1234"}"#, "code"),
        (Field.email.confirmation, #"{"code":1234567890123}"#, "code"),
        (Field.phone.request, "{}", "phone"), (Field.phone.request, #"{"phone":""}"#, "phone"),
        (Field.phone.request, #"{"phone":"0612345678"}"#, "phone"),
        (Field.phone.request, #"{"phone":33612345678}"#, "phone"),
        (Field.phone.request, #"{"phone":"+999612345678"}"#, "phone"),
        (Field.phone.confirmation, "{}", "code"), (Field.phone.confirmation, #"{"code":"12345"}"#, "code"),
        (Field.phone.confirmation, #"{"code":1234}"#, "code"),
    ])
    func whatIsWrongIsNamed(target: String, body: String, field: String) async throws {
        try await withServer(Self.drivers) { server in
            let reply = try await server.post(target, [self.key(server)], json: body)
            #expect(reply.status == 422)
            #expect(reply.errors(field)?.count == 1)
            #expect(try await self.changes(server) == 0)
        }
    }

    @Test(arguments: Field.allCases)
    func withoutAWayToSendTheCodeNothingIsStored(field: Field) async throws {
        try await withServer { server in
            let reply = try await server.post(field.request, [self.key(server)], json: field.body)
            #expect(reply.status == 503)
            let what = field == .email ? "mail" : "short messages"
            #expect(reply.text == #"{"message":"This server cannot send \#(what)."}"#)
            #expect(try await self.changes(server) == 0)
            #expect(try await server.count("outbox") == 0)
        }
    }

    @Test(arguments: Field.allCases)
    func theCodeComesInTheLanguageOfTheAccount(field: Field) async throws {
        try await withServer(Self.drivers) { server in
            let key = try await self.key(server)
            for (headers, language) in [([], Language.english), ([("Accept-Language", "fr")], .french), ([], .french)] {
                let asked = try await server.post(field.request, [key] + headers, json: field.body)
                #expect(asked.status == 200)
                #expect(try await server.outbox().last?.language == language)
            }
        }
    }

    @Test(arguments: Field.allCases)
    func ofRacingConfirmationsOneChangesTheAccount(field: Field) async throws {
        try await withServer(Self.drivers) { server in
            let key = try await self.key(server)
            #expect(try await server.post(field.request, [key], json: field.body).status == 200)
            let code = try #require(try await server.outbox().last?.code?.reveal())
            let statuses = try await race(32) { _ in
                try await server.post(field.confirmation, [key], json: #"{"code":"\#(code)"}"#).status
            }
            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 404 }.count == 31)
        }
    }
}
