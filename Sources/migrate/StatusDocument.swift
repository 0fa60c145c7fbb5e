import FoundationEssentials
import Migrator

/// `migrate status --format json`.
struct StatusDocument: Encodable {
    struct Line: Encodable {
        let version: Int64?
        let slug: String
        let state: String
        let appliedAt: Date?
    }

    let migrations: [Line]
    let pending: Int
    let problems: [String]

    init(_ status: MigrationStatus) {
        self.migrations = status.lines.map {
            Line(version: $0.version, slug: $0.slug, state: $0.state.name, appliedAt: $0.state.appliedAt)
        }
        self.pending = status.plan.pending.count
        self.problems = status.plan.problems.map(\.description)
    }
}

extension MigrationStatus.Line {
    var text: String {
        let state = self.state.name
        let padding = String(repeating: " ", count: max(0, 9 - state.count))
        let name = self.version.map { "\($0) \(self.slug)" } ?? "R \(self.slug)"
        let time = self.state.appliedAt.map { "  (\($0.formatted(.iso8601)))" } ?? ""
        return state + padding + name + time
    }
}

extension MigrationStatus.State {
    var name: String {
        switch self {
        case .applied: "applied"
        case .outdated: "outdated"
        case .pending: "pending"
        case .changed: "changed"
        case .missing: "missing"
        }
    }

    var appliedAt: Date? {
        switch self {
        case .applied(let date), .outdated(let date), .changed(let date), .missing(let date): date
        case .pending: nil
        }
    }
}
