import Foundation

/// A mail as Python's `email` package reads it.
struct ParsedMail: Decodable {
    struct Part: Decodable {
        let type: String
        let text: String
    }

    let headers: [String: String]
    /// Names and addresses of `From`.
    let senders: [[String]]
    let parts: [Part]
    /// What the parser does not like about it.
    let defects: [String]

    /// The mail as it was sent, in base64.
    init(_ content: String) async throws {
        let output = try await Program.output(
            "/usr/bin/python3", [Migrations.root.appending(path: "Tests/Neighbours/parse_mail.py").path(), content])
        self = try JSONDecoder().decode(ParsedMail.self, from: output)
    }
}
