/// What may differ without being drift: partitions that come and go, an index that a DBA had to make in the night.
///
/// A pattern is a name with its schema, in which `*` stands for anything, or a kind, a colon and such a name: `app.tmp_*`,
/// `index:app.emergency_*`, `partition:*`. It covers what belongs to the table that it names, too.
public struct IgnoreList: Sendable, Hashable {
    /// The file of the migrations' directory that holds patterns, one a line; `#` begins a comment.
    public static let fileName = "drift.ignore"

    private let patterns: [(kind: String?, name: String)]

    public init(_ patterns: [String]) {
        self.patterns = patterns.map { pattern in
            let parts = pattern.split(separator: ":", maxSplits: 1).map(String.init)
            return parts.count == 2 ? (parts[0], parts[1]) : (nil, pattern)
        }
    }

    /// Reads the text of a file of patterns.
    public init(text: String) {
        let lines = text.split(whereSeparator: \.isNewline).map { line in
            line.prefix { $0 != "#" }.split(separator: " ").joined(separator: " ")
        }
        self.init(lines.filter { !$0.isEmpty })
    }

    public static func + (left: IgnoreList, right: IgnoreList) -> IgnoreList {
        IgnoreList(patterns: left.patterns + right.patterns)
    }

    private init(patterns: [(kind: String?, name: String)]) {
        self.patterns = patterns
    }

    func covers(_ object: CatalogObject) -> Bool {
        if self.matches(kind: object.kind, name: object.name) { return true }
        // Kinds may be several words; a parent is always a table of some kind.
        guard let parent = object.parent,
            let separator = Self.kindsOfTables.first(where: { parent.hasPrefix($0 + " ") })
        else { return false }
        return self.matches(kind: separator, name: String(parent.dropFirst(separator.count + 1)))
    }

    private static let kindsOfTables = ["table", "partition", "foreign table", "view", "materialized view", "domain"]

    private func matches(kind: String, name: String) -> Bool {
        self.patterns.contains { pattern in
            (pattern.kind == nil || pattern.kind == kind) && Self.matches(pattern.name[...], name[...])
        }
    }

    private static func matches(_ pattern: Substring, _ text: Substring) -> Bool {
        guard let star = pattern.firstIndex(of: "*") else { return pattern == text }
        guard text.hasPrefix(pattern[..<star]) else { return false }
        let rest = pattern[pattern.index(after: star)...]
        var text = text[text.index(text.startIndex, offsetBy: pattern[..<star].count)...]
        while true {
            if Self.matches(rest, text) { return true }
            if text.isEmpty { return false }
            text.removeFirst()
        }
    }

    public static func == (left: IgnoreList, right: IgnoreList) -> Bool {
        left.patterns.elementsEqual(right.patterns) { $0 == $1 }
    }

    public func hash(into hasher: inout Hasher) {
        for pattern in self.patterns { hasher.combine(pattern.name) }
    }
}
