import FoundationEssentials
import Migrator

/// `migrate status --format json`.
struct StatusDocument: Encodable {
    struct Line: Encodable {
        let version: Int64?
        let slug: String
        let state: String
        let appliedAt: Date?
        let statementsDone: Int32?
        let statementsTotal: Int32?
    }

    let migrations: [Line]
    let pending: Int
    let problems: [ProblemLine]
    /// The run that is at work now.
    let run: EventLine.Session?

    init(_ status: MigrationStatus) {
        self.migrations = status.lines.map {
            Line(
                version: $0.version, slug: $0.slug, state: $0.state.name, appliedAt: $0.state.appliedAt,
                statementsDone: $0.state.unfinished?.statementsDone,
                statementsTotal: $0.state.unfinished?.statementsTotal)
        }
        self.pending = status.plan.pending.count
        self.problems = status.plan.problems.map(ProblemLine.init)
        self.run = status.run.map(EventLine.Session.init)
    }
}

extension MigrationStatus.Line {
    var text: String {
        let state = self.state.name
        let padding = String(repeating: " ", count: max(0, 10 - state.count))
        let name = self.version.map { "\($0) \(self.slug)" } ?? "R \(self.slug)"
        let time = self.state.appliedAt.map { "  (\($0.formatted(.iso8601)))" } ?? ""
        return state + padding + name + time + self.state.progress
    }
}

extension MigrationStatus.State {
    var name: String {
        switch self {
        case .applied: "applied"
        case .baseline: "baseline"
        case .outdated: "outdated"
        case .pending: "pending"
        case .changed: "changed"
        case .missing: "missing"
        case .unfinished(let entry): entry.state == .failed ? "failed" : "running"
        }
    }

    var appliedAt: Date? {
        switch self {
        case .applied(let date), .baseline(let date), .outdated(let date), .changed(let date), .missing(let date): date
        case .pending, .unfinished: nil
        }
    }

    var unfinished: LedgerEntry? {
        guard case .unfinished(let entry) = self else { return nil }
        return entry
    }

    /// How far a file without transaction has come.
    var progress: String {
        guard let entry = self.unfinished else { return "" }
        return "  (\(entry.direction.rawValue), \(entry.statementsDone) of \(entry.statementsTotal) statements done)"
    }
}
