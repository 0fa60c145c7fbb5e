internal import OpenSSLCrypto

/// SQL whose interpolated values are written into it as literals.
///
/// For texts of several statements, which the protocol takes no parameters with, and for scripts that `psql` runs. Values come out
/// the same under every setting of the server.
struct SQLText: ExpressibleByStringInterpolation, Sendable {
    let text: String

    private init(text: String) {
        self.text = text
    }

    init(joining parts: [SQLText], by separator: StaticString) {
        self.text = parts.map(\.text).joined(separator: separator.description)
    }

    static func + (left: SQLText, right: SQLText) -> SQLText {
        SQLText(text: left.text + right.text)
    }

    init(stringLiteral value: StaticString) {
        self.text = value.description
    }

    init(stringInterpolation: StringInterpolation) {
        self.text = stringInterpolation.text
    }

    struct StringInterpolation: StringInterpolationProtocol {
        typealias StringLiteralType = StaticString

        var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            self.text.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        mutating func appendLiteral(_ literal: StaticString) { self.text += literal.description }

        mutating func appendInterpolation(_ value: String) { self.text += Self.literal(value) }

        mutating func appendInterpolation(_ value: Int64?) { self.text += value.map(String.init) ?? "NULL" }

        mutating func appendInterpolation(_ bytes: [UInt8]) { self.text += "decode('\(Hex.encode(bytes))', 'hex')" }

        /// Another text as a part of this one.
        mutating func appendInterpolation(_ part: SQLText) { self.text += part.text }

        /// A name, quoted.
        mutating func appendInterpolation(name: String) { self.text += name.quotedAsName }

        private static func literal(_ value: String) -> String {
            let doubled = value.flatMap { $0 == "'" || $0 == "\\" ? [$0, $0] : [$0] }
            // With the prefix E, a backslash means the same whatever standard_conforming_strings says.
            return (value.contains("\\") ? " E'" : "'") + String(doubled) + "'"
        }
    }
}

extension String {
    var quotedAsName: String { "\"" + self.replacing("\"", with: "\"\"") + "\"" }
}
