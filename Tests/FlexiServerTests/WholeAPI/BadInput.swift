import Foundation

/// Values that a field must refuse, drawn from the rules that docs/openapi.yaml gives for it.
struct BadInput {
    let field: OpenAPIDocument.Field
    /// Values that are refused, as JSON text.
    let values: [String]

    init(_ field: OpenAPIDocument.Field, count: Int, using random: inout SeededNumbers) {
        self.field = field
        let rules = Rules(field.schema)
        var values = Self.otherTypes(rules, using: &random)
        if rules.types.contains("string") {
            // Absent, as far as the server is concerned.
            if field.isRequired { values += [#""""#, #""   ""#, "null"] }
            values += [#""\u0000""#, #""a\u0000b""#]
            while values.count < count, rules.areTexts {
                let text = Self.text(using: &random)
                if !rules.admits(text) { values.append(JSONText.encode(text)) }
            }
        }
        self.values = values
    }

    /// Of each type that the field does not have.
    private static func otherTypes(_ rules: Rules, using random: inout SeededNumbers) -> [String] {
        var values = [
            "[]", "{}", "[\"a\"]", "{\"a\":1}", "1.5", "-0.5", "9223372036854775808",
            String(repeating: "[", count: 20) + String(repeating: "]", count: 20),
            String(repeating: #"{"a":"#, count: 20) + "1" + String(repeating: "}", count: 20),
        ]
        if !rules.types.contains("integer") { values += ["7", String(Int.random(in: 2...Int.max, using: &random))] }
        if !rules.types.contains("boolean") { values += ["true", "false"] }
        if !rules.types.contains("string") { values += [#""perhaps""#] }
        return values
    }

    /// Anything: too long, of other alphabets, with control characters, or nearly right.
    private static func text(using random: inout SeededNumbers) -> String {
        let alphabets: [[Unicode.Scalar]] = [
            Array("abcxyz019._-+@".unicodeScalars), Array("ABC äß€漢😀".unicodeScalars),
            Array("'\";,<>\\/%&?#()[]{}|^`~".unicodeScalars),
            Array("\u{1}\n\r\t\u{7F}\u{85}\u{200B}\u{202E}\u{FEFF}a".unicodeScalars),
        ]
        let lengths = [1, 5, 20, 65, 300, 2_000]
        let alphabet = alphabets.randomElement(using: &random) ?? []
        let length = lengths.randomElement(using: &random) ?? 1
        var text = String.UnicodeScalarView()
        for _ in 0..<length { text.append(alphabet.randomElement(using: &random) ?? "a") }
        return String(text)
    }
}

/// What a schema says of a value.
private struct Rules {
    let types: Set<String>
    private let choices: [Any]?
    private let pattern: Regex<AnyRegexOutput>?
    private let maximumLength: Int?

    init(_ schema: [String: Any]) {
        self.choices = schema["enum"] as? [Any]
        self.pattern = (schema["pattern"] as? String).flatMap { try? Regex($0) }
        self.maximumLength = schema["maxLength"] as? Int
        self.types =
            if let type = schema["type"] as? String {
                [type]
            } else if let types = schema["type"] as? [String] {
                Set(types)
            } else {
                Set(
                    (self.choices ?? []).map { value in
                        value is String ? "string" : value is Bool ? "boolean" : value is Int ? "integer" : "null"
                    })
            }
    }

    /// Whether there is any text that they do not admit.
    var areTexts: Bool { self.choices != nil || self.pattern != nil || self.maximumLength != nil }

    /// White space around a text does not count.
    func admits(_ text: String) -> Bool {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        if trimmed.isEmpty { return true }
        if let choices { return choices.contains { ($0 as? String) == trimmed } }
        if let maximumLength, text.unicodeScalars.count > maximumLength { return false }
        if let pattern {
            return trimmed.unicodeScalars.count == trimmed.count && (try? pattern.wholeMatch(in: trimmed)) != nil
        }
        return true
    }
}

enum JSONText {
    /// Of a value that `JSONSerialization` has made, or could have.
    static func encode(_ value: Any) -> String {
        let data = (try? JSONSerialization.data(withJSONObject: value, options: .fragmentsAllowed)) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }
}
