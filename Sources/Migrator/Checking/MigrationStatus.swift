public import struct FoundationEssentials.Date

/// Where a database stands, file by file.
public struct MigrationStatus: Sendable {
    public enum State: Sendable, Hashable {
        case applied(Date)
        /// Taken as applied at that time, without having been run.
        case baseline(Date)
        /// A repeatable file that was applied at that time, and has changed since.
        case outdated(Date)
        case pending
        /// A versioned file that was applied at that time, and has changed since.
        case changed(Date)
        /// A file without transaction, of which so many statements are done.
        case unfinished(LedgerEntry)
        /// Applied at that time; the file is not there any more.
        case missing(Date)
    }

    public struct Line: Sendable, Hashable {
        /// nil for repeatable files.
        public let version: Int64?
        public let slug: String
        public let state: State
    }

    public let lines: [Line]
    public let plan: Plan
    /// The session that migrates now; its name says which file it is at.
    public let run: LockHolder?

    public init(files: [MigrationFile], ledger: [LedgerEntry], run: LockHolder? = nil) throws(MigrationFailure) {
        self.run = run
        self.plan = try Plan(files: files, ledger: ledger)
        let applied = AppliedMigrations(ledger)
        var lines = files.map { file in
            Line(version: file.version, slug: file.slug, state: Self.state(of: file, applied))
        }
        for case .missing(let entry) in self.plan.problems {
            let line = Line(version: entry.version, slug: entry.slug, state: .missing(entry.endedAt))
            let next = lines.firstIndex { ($0.version ?? .max) > (entry.version ?? .max) }
            lines.insert(line, at: next ?? lines.endIndex)
        }
        self.lines = lines
    }

    private static func state(of file: MigrationFile, _ applied: AppliedMigrations) -> State {
        if let entry = applied.unfinished[file.identity] { return .unfinished(entry) }
        guard let entry = applied[file] else { return .pending }
        guard entry.sha256 == file.sha256 else {
            return file.version == nil ? .outdated(entry.endedAt) : .changed(entry.endedAt)
        }
        return entry.state == .baseline ? .baseline(entry.endedAt) : .applied(entry.endedAt)
    }
}
