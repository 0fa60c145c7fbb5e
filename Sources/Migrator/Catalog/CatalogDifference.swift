/// In what a database differs from what was expected.
public struct CatalogDifference: Sendable, Hashable, Encodable {
    public struct Change: Sendable, Hashable, Encodable {
        public let kind: String
        public let name: String
        public let property: String
        /// nil when the property was not expected at all.
        public let expected: String?
        public let actual: String?
    }

    /// Expected, but not there.
    public let missing: [CatalogObject]
    /// There, but not expected.
    public let unexpected: [CatalogObject]
    public let changed: [Change]

    public var isEmpty: Bool { self.missing.isEmpty && self.unexpected.isEmpty && self.changed.isEmpty }

    /// What belongs to a table that is missing or unexpected as a whole is not listed by itself.
    public init(expected: [CatalogObject], actual: [CatalogObject], ignoring ignored: IgnoreList = IgnoreList([])) {
        let expected = Self.byIdentity(expected, ignored)
        let actual = Self.byIdentity(actual, ignored)
        self.missing = Self.without(actual, expected)
        self.unexpected = Self.without(expected, actual)
        self.changed = expected.values.sorted().flatMap { object -> [Change] in
            guard let other = actual[object.description], other != object else { return [] }
            return Set(object.properties.keys).union(other.properties.keys).sorted().compactMap { property in
                let values = (object.properties[property], other.properties[property])
                guard values.0 != values.1 else { return nil }
                return Change(
                    kind: object.kind, name: object.name, property: property, expected: values.0, actual: values.1)
            }
        }
    }

    private static func byIdentity(_ objects: [CatalogObject], _ ignored: IgnoreList) -> [String: CatalogObject] {
        Dictionary(objects.filter { !ignored.covers($0) }.map { ($0.description, $0) }) { first, _ in first }
    }

    private static func without(
        _ known: [String: CatalogObject], _ objects: [String: CatalogObject]
    ) -> [CatalogObject] {
        let unknown = objects.filter { known[$0.key] == nil }
        return unknown.values.filter { object in object.parent.map { unknown[$0] == nil } ?? true }.sorted()
    }
}

extension CatalogObject: Comparable {
    public static func < (left: CatalogObject, right: CatalogObject) -> Bool {
        (left.kind, left.name) < (right.kind, right.name)
    }
}

extension CatalogDifference: CustomStringConvertible {
    /// A line for each finding, with what was expected and what is there below it.
    public var description: String {
        var lines = self.missing.map { "missing     \($0)" }
        lines += self.unexpected.map { "unexpected  \($0)" }
        for change in self.changed {
            lines.append("changed     \(change.kind) \(change.name): \(change.property)")
            lines.append(Self.indented("expected: ", change.expected))
            lines.append(Self.indented("found:    ", change.actual))
        }
        return lines.joined(separator: "\n")
    }

    private static func indented(_ label: String, _ value: String?) -> String {
        let margin = String(repeating: " ", count: 16)
        return margin + label + (value ?? "nothing").replacing("\n", with: "\n" + margin + "          ")
    }
}
