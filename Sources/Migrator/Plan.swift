/// What is to be applied, by the files and the ledger. Nothing is read or written.
public struct Plan: Sendable {
    /// A contradiction, because of which nothing may be applied.
    public enum Problem: Sendable, Hashable {
        /// Two files have the same version, or are the same repeatable one.
        case duplicate(first: String, second: String)
        case missing(LedgerEntry)
        case changed(fileName: String)
        case outOfOrder(fileName: String, newest: Int64)
        /// `down` stopped in the middle of a file without transaction.
        case halfUndone(LedgerEntry)
    }

    public let pending: [MigrationScript]
    /// In the order of the files.
    public let problems: [Problem]
    private let applied: AppliedMigrations

    /// - Parameters:
    ///   - files: in the order of application.
    ///   - ledger: the entries of applied files, in the order in which they were made.
    ///   - target: the last version to apply; nil applies all. Repeatable files wait until no versioned one is left.
    /// - Throws: `MigrationFailure` when a pending file cannot be read as SQL, or no file has the version `target`.
    public init(files: [MigrationFile], ledger: [LedgerEntry], to target: Int64? = nil) throws(MigrationFailure) {
        if let target, !files.contains(where: { $0.version == target }) {
            throw MigrationFailure(.usage, "there is no migration with version \(target)")
        }
        let applied = AppliedMigrations(ledger)
        self.applied = applied
        let identities = Set(files.map(\.identity))
        let unfinished = applied.unfinished.values
        var problems = Self.duplicates(in: files)
        problems += (Array(applied.versions.values) + unfinished).filter { !identities.contains($0.identity) }
            .sorted { ($0.version ?? .max) < ($1.version ?? .max) }.map(Problem.missing)
        problems += unfinished.filter { $0.direction == .down }.map(Problem.halfUndone)
        var pending: [MigrationScript] = []
        var isComplete = true
        for file in files {
            if let version = file.version {
                if let entry = applied.versions[version] {
                    if entry.sha256 != file.sha256 { problems.append(.changed(fileName: file.fileName)) }
                } else if let target, version > target {
                    isComplete = false
                } else {
                    let script = try MigrationScript(file)
                    if let newest = applied.newest, version < newest, !script.directives.allowsOutOfOrder {
                        problems.append(.outOfOrder(fileName: file.fileName, newest: newest))
                    }
                    pending.append(script)
                }
            } else if isComplete, !applied.covers(file) {
                pending.append(try MigrationScript(file))
            }
        }
        self.pending = pending
        self.problems = problems
    }

    /// The entry of a pending file without transaction that an earlier run began.
    func unfinished(_ file: MigrationFile) -> LedgerEntry? {
        self.applied.unfinished[file.identity]
    }

    /// Throws what stands against applying the plan; several problems are one failure.
    public func check() throws(MigrationFailure) {
        guard let first = self.problems.first else { return }
        let isDrift = self.problems.contains { if case .duplicate = $0 { false } else { true } }
        throw MigrationFailure(
            isDrift ? .drift : .failed,
            self.problems.map(\.description).joined(separator: "\n"),
            hint: first.hint
        )
    }

    private static func duplicates(in files: [MigrationFile]) -> [Problem] {
        var names: [MigrationFile.Identity: String] = [:]
        return files.compactMap { file in
            guard let first = names.updateValue(file.fileName, forKey: file.identity) else { return nil }
            return .duplicate(first: first, second: file.fileName)
        }
    }
}

extension Plan.Problem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .duplicate(let first, let second):
            "\(first) and \(second) are the same migration"
        case .missing(let entry):
            "\(entry.name) was applied, but its file is not there"
        case .changed(let fileName):
            "\(fileName) was changed after it had been applied"
        case .outOfOrder(let fileName, let newest):
            "\(fileName) comes too late: \(newest) was applied before"
        case .halfUndone(let entry):
            "\(entry.name) was undone in part"
        }
    }

    /// A constant word for programs.
    public var name: String {
        switch self {
        case .duplicate: "duplicate"
        case .missing: "missing"
        case .changed: "changed"
        case .outOfOrder: "out-of-order"
        case .halfUndone: "half-undone"
        }
    }

    public var hint: String {
        switch self {
        case .duplicate:
            "Give one of them another number."
        case .missing(let entry):
            "Restore the file, or use the directory of the release that applied it; `migrate repair --forget \(entry.identity)` takes it off the ledger."
        case .changed:
            "Restore the file as it was applied, and write what is to change into a new one; `migrate repair --accept` takes it as it is."
        case .outOfOrder:
            "Give the file a higher number, or let it come late with the line `-- migrate:allow-out-of-order`."
        case .halfUndone:
            "Run `migrate down` again: it goes on where it stopped. What was settled by hand, `migrate repair --done` takes as undone, and `--forget` as applied."
        }
    }
}
