/// One key of the configuration: how it is called, read and documented.
struct Setting<Value: Sendable>: DocumentedSetting {
    let name: String
    let type: String
    let meaning: String
    let isSecret: Bool
    let defaultText: String
    let defaultValue: Value
    /// `nil` for a text that is no such value.
    let parse: @Sendable (String) -> Value?

    /// `expected` completes the sentence "NAME must be …".
    let expected: String

    init(
        _ name: String, type: String, expected: String, default defaultValue: Value, as defaultText: String,
        isSecret: Bool = false, meaning: String, parse: @escaping @Sendable (String) -> Value?
    ) {
        self.name = name
        self.type = type
        self.expected = expected
        self.defaultValue = defaultValue
        self.defaultText = defaultText
        self.isSecret = isSecret
        self.meaning = meaning
        self.parse = parse
    }
}

/// What docs/configuration.md says of a key.
protocol DocumentedSetting: Sendable {
    var name: String { get }
    var type: String { get }
    var meaning: String { get }
    var isSecret: Bool { get }
    /// As it is written in an env file; empty where there is none.
    var defaultText: String { get }
}

// MARK: Kinds of values

extension Setting where Value == Bool {
    init(_ name: String, default value: Bool, _ meaning: String) {
        self.init(
            name, type: "flag", expected: "true or false", default: value, as: value ? "true" : "false",
            meaning: meaning
        ) { text in
            switch text.lowercased() {
            case "true", "1", "yes", "on": true
            case "false", "0", "no", "off": false
            default: nil
            }
        }
    }
}

extension Setting where Value == Int {
    init(_ name: String, default value: Int, in range: ClosedRange<Int>, _ meaning: String) {
        self.init(
            name, type: "number", expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            default: value, as: String(value), meaning: meaning
        ) { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }
    }
}

extension Setting {
    /// A key that may be unset, and means something else then than any value.
    init<Wrapped>(
        optional name: String, type: String, expected: String, isSecret: Bool = false, meaning: String,
        parse: @escaping @Sendable (String) -> Wrapped?
    ) where Value == Wrapped? {
        self.init(
            name, type: type, expected: expected, default: nil, as: "", isSecret: isSecret, meaning: meaning,
            parse: { text in parse(text).map(Optional.some) })
    }
}

extension Setting where Value == String? {
    init(_ name: String, type: String = "text", isSecret: Bool = false, _ meaning: String) {
        self.init(
            optional: name, type: type, expected: "a text without line breaks", isSecret: isSecret, meaning: meaning
        ) { text -> String? in text.contains(where: \.isNewline) ? nil : text }
    }
}

extension Setting where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    init(_ name: String, default value: Value, _ meaning: String) {
        let choices = Value.allCases.map(\.rawValue).joined(separator: ", ")
        self.init(
            name, type: "one of \(choices)", expected: "one of \(choices)", default: value, as: value.rawValue,
            meaning: meaning
        ) { Value(rawValue: $0.lowercased()) }
    }
}

extension Setting {
    /// One of several words, or none of them where the key is unset.
    init<Choice: RawRepresentable & CaseIterable & Sendable>(choice name: String, _ meaning: String)
    where Value == Choice?, Choice.RawValue == String {
        let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        self.init(
            optional: name, type: "one of \(choices)", expected: "one of \(choices)", meaning: meaning,
            parse: { Choice(rawValue: $0.lowercased()) })
    }
}
