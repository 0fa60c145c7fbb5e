/// The ledger, by what it is asked for.
struct AppliedMigrations {
    /// The entries in force.
    private(set) var versions: [Int64: LedgerEntry] = [:]
    /// The newest entry of each, unless that is in force no longer.
    private(set) var repeatables: [String: LedgerEntry] = [:]
    /// Files without transaction that stand half-way.
    private(set) var unfinished: [MigrationFile.Identity: LedgerEntry] = [:]

    /// Takes the entries in the order in which they were made.
    init(_ ledger: [LedgerEntry]) {
        for entry in ledger {
            if entry.isUnfinished {
                self.unfinished[entry.identity] = entry
            } else if entry.version == nil {
                self.repeatables[entry.slug] = entry.isInForce ? entry : nil
            } else if let version = entry.version, entry.isInForce {
                self.versions[version] = entry
            }
        }
    }

    var newest: Int64? { self.versions.keys.max() }

    subscript(identity: MigrationFile.Identity) -> LedgerEntry? {
        switch identity {
        case .version(let version): self.versions[version]
        case .repeatable(let slug): self.repeatables[slug]
        }
    }

    subscript(file: MigrationFile) -> LedgerEntry? { self[file.identity] }

    /// Whether nothing of the file is left to apply. A versioned one that was changed is not applied again.
    func covers(_ file: MigrationFile) -> Bool {
        guard self.unfinished[file.identity] == nil, let entry = self[file] else { return false }
        return file.version != nil || entry.sha256 == file.sha256
    }
}
