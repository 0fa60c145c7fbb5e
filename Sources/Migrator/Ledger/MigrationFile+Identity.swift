extension MigrationFile {
    /// What stays the same when the content changes.
    public enum Identity: Sendable, Hashable {
        case version(Int64)
        /// By its slug.
        case repeatable(String)
    }

    var identity: Identity { self.version.map(Identity.version) ?? .repeatable(self.slug) }
}

extension LedgerEntry {
    public var identity: MigrationFile.Identity {
        self.version.map(MigrationFile.Identity.version) ?? .repeatable(self.slug)
    }
}

extension MigrationFile.Identity: LosslessStringConvertible {
    /// Reads `7`, `R__slug` or `R__slug.sql`.
    public init?(_ name: String) {
        if let version = Int64(name) {
            self = .version(version)
        } else if let file = MigrationFile.parse(name.hasSuffix(".sql") ? name : name + ".sql"),
            file.kind == .repeatable
        {
            self = .repeatable(file.slug)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .version(let version): "\(version)"
        case .repeatable(let slug): "R__\(slug)"
        }
    }
}
