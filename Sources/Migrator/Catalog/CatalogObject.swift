/// One thing of a schema, described so that two databases can be compared: by names, never by numbers.
public struct CatalogObject: Sendable, Hashable, Codable {
    /// `table`, `column`, `index`, `function` and so on.
    public let kind: String
    /// With its schema and, where it is a part of one, its table: `app.accounts.name`. Quoted where SQL needs it.
    public let name: String
    /// The table that it belongs to, with the kind in front: `table app.accounts`. nil for what stands by itself.
    public let parent: String?
    /// What it is like, by property: `type`, `owner`, `grants`, `definition` and so on.
    public let properties: [String: String]

    public init(kind: String, name: String, parent: String? = nil, properties: [String: String]) {
        self.kind = kind
        self.name = name
        self.parent = parent
        self.properties = properties
    }
}

extension CatalogObject: CustomStringConvertible {
    public var description: String { self.kind + " " + self.name }
}
