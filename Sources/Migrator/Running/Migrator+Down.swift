import PGClient

extension Migrator {
    /// Undoes what was applied after `target`, newest first, and returns those files; 0 undoes everything.
    ///
    /// Every file has to be there as it was applied, with a section below `-- migrate:down`. `approve` is asked once, before anything
    /// is changed; nothing is when it says no. Throws as `up` does.
    @discardableResult
    public func down(
        _ files: [MigrationFile], to target: Int64, approve: @Sendable ([MigrationFile]) async throws -> Bool
    ) async throws -> [MigrationFile] {
        let approved = try await self.withConnection { try await self.downPlan(files, to: target, $0) }.map(
            \.script.file)
        guard !approved.isEmpty, try await approve(approved) else { return [] }
        try await self.resolvingCommits { connection, doubtful in
            try await self.withLock(connection) { watch in
                let plan = try await self.downPlan(files, to: target, connection)
                guard doubtful != nil || plan.map(\.script.file) == approved else {
                    throw MigrationFailure(
                        .failed, "another run has changed the database in the meantime", hint: "Look again.")
                }
                if let doubtful, !plan.contains(where: { $0.script.file == doubtful.file }) {
                    self.report(.undone(doubtful.file, took: doubtful.elapsed))
                }
                for step in plan {
                    try await self.run(step.script, .down, resuming: step.unfinished, connection, watch)
                }
            }
        }
        return approved
    }

    private func downPlan(
        _ files: [MigrationFile], to target: Int64, _ connection: PGConnection
    ) async throws -> [DownStep] {
        try await DownStep.plan(files: files, ledger: Ledger(connection).entries() ?? [], to: target)
    }
}

/// A file that is to be undone.
struct DownStep {
    let script: MigrationScript
    /// The entry of an earlier run of `down` that stopped half-way.
    let unfinished: LedgerEntry?

    static func plan(
        files: [MigrationFile], ledger: [LedgerEntry], to target: Int64
    ) throws(MigrationFailure) -> [DownStep] {
        let applied = AppliedMigrations(ledger)
        guard target == 0 || applied.versions[target] != nil else {
            throw MigrationFailure(
                .usage, "migration \(target) is not applied", hint: "Name one that is, or 0 to undo everything.")
        }
        if let entry = applied.unfinished.values.first(where: { $0.direction == .up && ($0.version ?? 0) > target }) {
            throw MigrationFailure(
                .drift, "\(entry.name) was applied in part",
                hint: "Let `migrate up` end it first, or take it off the ledger with `migrate repair --forget`.")
        }
        var steps: [DownStep] = []
        for version in applied.versions.keys.filter({ $0 > target }).sorted(by: >) {
            guard let entry = applied.versions[version] else { continue }
            guard let file = files.first(where: { $0.version == version }) else {
                throw Plan.Problem.missing(entry).failure
            }
            guard file.sha256 == entry.sha256 else {
                throw Plan.Problem.changed(fileName: file.fileName).failure
            }
            let script = try MigrationScript(file)
            guard script.hasDown else {
                throw MigrationFailure(
                    .failed, "\(file.fileName) does not say how it is undone",
                    hint: "Write a new migration that takes the change back: what was released is never edited.")
            }
            steps.append(DownStep(script: script, unfinished: applied.unfinished[file.identity]))
        }
        return steps
    }
}

extension Plan.Problem {
    fileprivate var failure: MigrationFailure { MigrationFailure(.drift, self.description, hint: self.hint) }
}
