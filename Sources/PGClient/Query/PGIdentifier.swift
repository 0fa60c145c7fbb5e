/// The name of a table, column or the like, written in the program's source and quoted where it is used.
///
/// It can only be made from a literal: a name that arrives at run time has to be matched against a list of these.
public struct PGIdentifier: Hashable, Sendable, ExpressibleByStringLiteral {
    let quoted: String

    public init(_ name: StaticString) {
        self.quoted =
            "\"" + name.description.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            + "\""
    }

    public init(stringLiteral name: StaticString) {
        self.init(name)
    }
}
