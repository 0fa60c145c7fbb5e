/// The name of a table, column or the like, written in the program's source and quoted where it is used.
///
/// It can only be made from a literal; a name that arrives at run time is matched against a list of these.
public struct PGIdentifier: Hashable, Sendable, ExpressibleByStringLiteral {
    private let name: String

    public init(_ name: StaticString) {
        self.name = name.description
    }

    /// The one of `allowed` that has this name; nil when there is none.
    public init?(_ name: String, in allowed: [PGIdentifier]) {
        guard let match = allowed.first(where: { $0.name == name }) else { return nil }
        self = match
    }

    public init(stringLiteral name: StaticString) {
        self.init(name)
    }

    /// As it stands in SQL.
    var quoted: String {
        "\"" + self.name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
