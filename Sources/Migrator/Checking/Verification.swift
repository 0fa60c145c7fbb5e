/// How the files compare with what the ledger says was applied.
public struct Verification: Sendable {
    /// Contradictions: a file was changed, is missing, comes too late, or is there twice.
    public let problems: [Plan.Problem]
    /// Files whose line ends or byte order mark are not as they were when the file was applied, which is no contradiction.
    public let reformatted: [MigrationFile]
    /// How many files were compared with their entries.
    public let compared: Int

    /// Throws `MigrationFailure` when a pending file cannot be read as SQL.
    public init(files: [MigrationFile], ledger: [LedgerEntry]) throws(MigrationFailure) {
        let applied = AppliedMigrations(ledger)
        self.problems = try Plan(files: files, ledger: ledger).problems
        let known = files.filter { applied[$0] != nil }
        self.compared = known.count
        self.reformatted = known.filter { file in
            applied[file].map { $0.sha256 == file.sha256 && $0.rawSHA256 != file.rawSHA256 } ?? false
        }
    }
}
