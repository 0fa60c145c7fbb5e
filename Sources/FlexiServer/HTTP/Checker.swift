import FoundationEssentials

/// Turns the fields of a request into values, and collects what is wrong with every one of them.
///
/// Each question about a field answers `nil` where it is absent and where it is wrong; in the second case `finish()`
/// throws.
struct Checker {
    private let body: JSONObject
    private var problems: [APIError.Problem] = []

    init(_ body: JSONObject = JSONObject()) {
        self.body = body
    }

    mutating func fail(_ field: String, _ message: String) {
        if let index = self.problems.firstIndex(where: { $0.field == field }) {
            self.problems[index].messages.append(message)
        } else {
            self.problems.append(.init(field: field, messages: [message]))
        }
    }

    /// Fails the field with `message` when `value` is `nil`.
    mutating func check<Value>(_ field: String, _ message: String, _ value: () -> Value?) -> Value? {
        guard let value = value() else {
            self.fail(field, message)
            return nil
        }
        return value
    }

    func hasFailed(_ field: String) -> Bool {
        self.problems.contains { $0.field == field }
    }

    /// - Throws: 422 with every problem found.
    func finish() throws(APIError) {
        if !self.problems.isEmpty { throw .invalid(self.problems) }
    }

    /// What to throw where a value is still missing although `finish()` found nothing wrong.
    var incomplete: APIError {
        .invalid(self.problems)
    }

    // MARK: Presence

    /// Whether the body says anything about the field: `null` counts, it clears the field in a PATCH.
    func mentions(_ field: String) -> Bool {
        self.body.contains(field)
    }

    mutating func require(_ field: String) {
        if self.body[field] == nil { self.fail(field, Self.missing(field)) }
    }

    // MARK: Text

    /// The text without white space around it; a text of white space only counts as absent.
    mutating func text(_ field: String) -> String? {
        guard let text = self.untrimmed(field) else { return nil }
        let trimmed = text.trimmed
        return trimmed.isEmpty ? nil : String(trimmed)
    }

    mutating func requiredText(_ field: String) -> String? {
        let text = self.text(field)
        if text == nil, !self.hasFailed(field) { self.fail(field, Self.missing(field)) }
        return text
    }

    /// Fails with `message` when there is a text that `parse` does not understand.
    mutating func text<Value>(_ field: String, _ message: String, as parse: (String) -> Value?) -> Value? {
        guard let text = self.text(field) else { return nil }
        return self.check(field, message) { parse(text) }
    }

    mutating func requiredText<Value>(_ field: String, _ message: String, as parse: (String) -> Value?) -> Value? {
        guard let text = self.requiredText(field) else { return nil }
        return self.check(field, message) { parse(text) }
    }

    /// A password as it was typed, white space included.
    mutating func password(_ field: String) -> Secret<String>? {
        guard let text = self.untrimmed(field), !text.isEmpty else { return nil }
        return Secret(text)
    }

    mutating func requiredPassword(_ field: String) -> Secret<String>? {
        let password = self.password(field)
        if password == nil, !self.hasFailed(field) { self.fail(field, Self.missing(field)) }
        return password
    }

    /// One of the raw values of `Choice`.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ field: String, of _: Choice.Type = Choice.self
    ) -> Choice? where Choice.RawValue == String {
        let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        return self.text(field, "The \(Self.readable(field)) must be one of: \(choices).", as: Choice.init(rawValue:))
    }

    mutating func requiredChoice<Choice: RawRepresentable & CaseIterable>(
        _ field: String, of type: Choice.Type = Choice.self
    ) -> Choice? where Choice.RawValue == String {
        let choice = self.choice(field, of: type)
        if choice == nil, !self.hasFailed(field) { self.fail(field, Self.missing(field)) }
        return choice
    }

    private mutating func untrimmed(_ field: String) -> String? {
        switch self.body[field] {
        case nil: return nil
        case .string(let text)?:
            // PostgreSQL cannot keep it, and no name or number has it.
            if text.utf8.contains(0) {
                self.fail(field, "The \(Self.readable(field)) contains a character that is not allowed.")
                return nil
            }
            return text
        default:
            self.fail(field, "The \(Self.readable(field)) must be a text.")
            return nil
        }
    }

    // MARK: Other types

    /// `true`, `1`, `"1"`, `"true"` and their opposites, as clients send them.
    mutating func flag(_ field: String) -> Bool? {
        guard let value = self.body[field] else { return nil }
        return self.check(field, "The \(Self.readable(field)) must be true or false.") {
            switch value {
            case .bool(let flag): flag
            case .integer(1), .string("1"), .string("true"): true
            case .integer(0), .string("0"), .string("false"): false
            default: nil
            }
        }
    }

    mutating func integer(_ field: String) -> Int64? {
        guard let value = self.body[field] else { return nil }
        return self.check(field, "The \(Self.readable(field)) must be a whole number.") {
            if case .integer(let number) = value { number } else { nil }
        }
    }

    /// A time in UTC, written `YYYY-MM-DD HH:MM:SS`.
    mutating func time(_ field: String) -> Date? {
        self.text(
            field, "The \(Self.readable(field)) must be a time of the form YYYY-MM-DD HH:MM:SS.",
            as: TimeText.date(plain:))
    }

    // MARK: Words

    static func missing(_ field: String) -> String {
        "The \(self.readable(field)) is missing."
    }

    private static func readable(_ field: String) -> String {
        String(field.map { $0 == "_" ? " " : $0 })
    }
}

extension StringProtocol {
    /// Without the white space around it.
    var trimmed: SubSequence {
        guard let first = self.firstIndex(where: { !$0.isWhitespace }),
            let last = self.lastIndex(where: { !$0.isWhitespace })
        else { return self[self.endIndex...] }
        return self[first...last]
    }
}
