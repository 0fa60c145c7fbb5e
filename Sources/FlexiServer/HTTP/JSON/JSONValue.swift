/// One value of a JSON text (RFC 8259).
enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// A number with a fraction or an exponent, or too large for `integer`.
    case decimal(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// The members of a JSON object in the order in which they came; no name appears twice.
struct JSONObject: Sendable {
    private(set) var members: [(name: String, value: JSONValue)] = []

    /// `nil` also where the member is `null`: requests mean the same by both.
    subscript(name: String) -> JSONValue? {
        switch self.members.first(where: { $0.name == name })?.value {
        case nil, .null: nil
        case let value: value
        }
    }

    func contains(_ name: String) -> Bool {
        self.members.contains { $0.name == name }
    }

    /// `false` when there is such a member already; nothing changes then.
    mutating func append(_ name: String, _ value: JSONValue) -> Bool {
        if self.contains(name) { return false }
        self.members.append((name, value))
        return true
    }
}
