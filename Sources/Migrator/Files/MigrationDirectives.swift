/// What the comments `-- migrate:NAME VALUE` at the head of a file ask for.
///
/// | directive | meaning |
/// |---|---|
/// | `lock-timeout 500ms` | `lock_timeout` of this file; `0` waits without end |
/// | `statement-timeout 5min` | `statement_timeout` of this file; `0`, the default, means none |
/// | `role NAME` | the role that applies this file |
/// | `allow-out-of-order` | the file may be applied after one with a higher number |
/// | `no-transaction` | the statements are run one by one, each for itself, and the file is taken up where it stopped |
/// | `snapshot-wait 2h` | how long statements such as `CREATE INDEX CONCURRENTLY` wait for transactions that are older |
/// | `down`, between statements | what follows undoes the file |
/// | `breaks-before N` | programs that were made for a version below N cannot work with the schema any more |
public struct MigrationDirectives: Sendable, Hashable {
    public private(set) var lockTimeout: Duration?
    public private(set) var statementTimeout: Duration?
    public private(set) var snapshotWait: Duration?
    public private(set) var role: String?
    public private(set) var isWithoutTransaction = false
    public private(set) var allowsOutOfOrder = false
    public private(set) var breaksBefore: Int64?

    init(_ comments: [SQLLexer.Directive]) throws(SourceProblem) {
        var seen: Set<String> = []
        for comment in comments {
            guard comment.statementsBefore == 0 else {
                throw SourceProblem(
                    message: "directives stand before the first statement of a file", position: comment.position)
            }
            guard seen.insert(comment.name).inserted else {
                throw SourceProblem(
                    message: "the directive \(comment.name) stands here twice", position: comment.position)
            }
            if let complaint = self.read(comment.name, comment.value) {
                throw SourceProblem(message: complaint, position: comment.position)
            }
        }
    }

    /// Returns what is wrong with the directive, or nil.
    private mutating func read(_ name: String, _ value: String) -> String? {
        switch name {
        case "lock-timeout":
            self.lockTimeout = Duration(migrationSetting: value)
            return self.lockTimeout == nil ? "lock-timeout wants a time such as 500ms or 2s" : nil
        case "statement-timeout":
            self.statementTimeout = Duration(migrationSetting: value)
            return self.statementTimeout == nil ? "statement-timeout wants a time such as 30s or 5min" : nil
        case "snapshot-wait":
            self.snapshotWait = Duration(migrationSetting: value)
            return self.snapshotWait == nil ? "snapshot-wait wants a time such as 30min or 2h" : nil
        case "role":
            self.role = value
            return value.isEmpty ? "role wants the name of a role" : nil
        case "allow-out-of-order":
            self.allowsOutOfOrder = true
            return value.isEmpty ? nil : "allow-out-of-order wants no value"
        case "breaks-before":
            self.breaksBefore = Int64(value)
            return self.breaksBefore.map { $0 > 0 } == true ? nil : "breaks-before wants a version"
        case "no-transaction":
            self.isWithoutTransaction = true
            return value.isEmpty ? nil : "no-transaction wants no value"
        default:
            return "there is no directive \(name)"
        }
    }
}

extension Duration {
    /// Reads `500ms`, `2s`, `5min`, `1h` or `0`; nil for anything else, and for more than PostgreSQL takes as a timeout.
    public init?(migrationSetting text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let milliseconds: Int64? =
            switch text.dropFirst(digits.count) {
            case "ms": 1
            case "s": 1000
            case "min": 60_000
            case "h": 3_600_000
            case "" where Int64(digits) == 0: 1
            default: nil
            }
        guard let milliseconds, let count = Int64(digits) else { return nil }
        let (product, overflows) = count.multipliedReportingOverflow(by: milliseconds)
        guard !overflows, product <= Int64(Int32.max) else { return nil }
        self = .milliseconds(product)
    }

    var milliseconds: Int64 {
        self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000
    }
}
