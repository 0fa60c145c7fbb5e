/// The ledger, by what it is asked for.
struct AppliedMigrations {
    /// The entries in force.
    private(set) var versions: [Int64: LedgerEntry] = [:]
    /// The newest entry of each.
    private(set) var repeatables: [String: LedgerEntry] = [:]
    /// Files without transaction that stand half-way.
    private(set) var unfinished: [MigrationFile.Identity: LedgerEntry] = [:]

    /// Takes the entries in the order in which they were made.
    init(_ ledger: [LedgerEntry]) {
        for entry in ledger {
            if entry.isUnfinished {
                self.unfinished[entry.identity] = entry
            } else if entry.isInForce {
                if let version = entry.version {
                    self.versions[version] = entry
                } else {
                    self.repeatables[entry.slug] = entry
                }
            }
        }
    }

    var newest: Int64? { self.versions.keys.max() }

    subscript(file: MigrationFile) -> LedgerEntry? {
        file.version.map { self.versions[$0] } ?? self.repeatables[file.slug]
    }
}

extension MigrationFile {
    enum Identity: Hashable {
        case version(Int64)
        case repeatable(String)
    }

    var identity: Identity { self.version.map(Identity.version) ?? .repeatable(self.slug) }
}

extension LedgerEntry {
    var identity: MigrationFile.Identity { self.version.map(MigrationFile.Identity.version) ?? .repeatable(self.slug) }
}
