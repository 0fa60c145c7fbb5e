public import FoundationEssentials

/// What `migrate plan` found out, and what `migrate apply` holds a database to.
public struct DeploymentPlan: Sendable, Codable {
    /// A session that is in the way now.
    public struct Session: Sendable, Codable, Hashable {
        public let pid: Int32
        public let user: String
        public let applicationName: String
        public let mode: LockMode
        /// Of its transaction, in seconds.
        public let age: Int64
    }

    /// A table, view or sequence that a file locks.
    public struct Lock: Sendable, Codable {
        /// With its schema, as it is called in the database now.
        public let relation: String
        /// The strongest that the file takes, which it keeps until its transaction ends.
        public let mode: LockMode
        /// Of the first statement that takes it.
        public let line: Int
        /// Whether every row is written anew, or taken away.
        public let isRewritten: Bool
        /// The size of the table with its indexes in bytes, and an estimate of its rows; nil when it is not there yet.
        public internal(set) var bytes: Int64?
        public internal(set) var rows: Int64?
        public internal(set) var blockers: [Session] = []
    }

    public struct File: Sendable, Codable {
        public let file: String
        public let version: Int64?
        /// Of its normalised content, in hexadecimal.
        public let sha256: String
        public let isTransaction: Bool
        /// Strongest first.
        public internal(set) var locks: [Lock] = []
        /// How long it took where no rows were, in milliseconds.
        public internal(set) var milliseconds: Int64?
        /// What the shadow said when the file failed there.
        public internal(set) var failure: String?
        /// Transactions that statements such as `CREATE INDEX CONCURRENTLY` would wait for now.
        public internal(set) var waitsFor: [Session] = []
        public internal(set) var findings: [SquawkFinding] = []
        /// What could not be found out, and why.
        public internal(set) var unknown: String?
    }

    public static let currentFormat = 1

    public let format: Int
    public let toolVersion: String
    public let createdAt: Date
    public let server: ServerIdentity
    public let target: Int64?
    public let role: String?
    /// The values of `--set`.
    public let settings: [String: String]
    public let files: [File]
    /// What holds for all files.
    public let notes: [String]

    /// Reads what `migrate plan` has written. Throws `MigrationFailure` when it is something else, or of another version.
    public init(json: Data) throws(MigrationFailure) {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        struct Format: Decodable { let format: Int }
        guard let format = try? decoder.decode(Format.self, from: json).format else {
            throw MigrationFailure(.usage, "this is no plan of migrate", hint: "`migrate plan --out FILE` writes one.")
        }
        guard format == Self.currentFormat, let plan = try? decoder.decode(DeploymentPlan.self, from: json) else {
            throw MigrationFailure(
                .usage, "the plan was written by another version of migrate", hint: "Make a new one.")
        }
        self = plan
    }

    init(server: ServerIdentity, options: MigratorOptions, files: [File], notes: [String]) {
        self.format = Self.currentFormat
        self.toolVersion = Migrator.version
        self.createdAt = Date()
        self.server = server
        self.target = options.target
        self.role = options.role
        self.settings = options.settings
        self.files = files
        self.notes = notes
    }

    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return try encoder.encode(self) + Data("\n".utf8)
    }

    /// Throws `MigrationFailure` of kind `drift` when the database or the files are not those that were planned for.
    func check(_ server: ServerIdentity, _ pending: [MigrationScript]) throws(MigrationFailure) {
        var differences: [String] = []
        if server.systemIdentifier != self.server.systemIdentifier {
            differences.append(
                "the server is another one: \(server.systemIdentifier) instead of \(self.server.systemIdentifier)")
        }
        if server.database != self.server.database {
            differences.append("the database is \(server.database) instead of \(self.server.database)")
        }
        if server.currentVersion != self.server.currentVersion || server.ledgerEntry != self.server.ledgerEntry {
            let (now, then) = (server.currentVersion, self.server.currentVersion)
            differences.append(
                now == then
                    ? "the ledger was changed since"
                    : "the database is at \(now.map(String.init) ?? "nothing") instead of \(then.map(String.init) ?? "nothing")"
            )
        }
        let now = pending.map { $0.file.fileName + " " + $0.file.hexSHA256 }
        let then = self.files.map { $0.file + " " + $0.sha256 }
        if now != then {
            let names = Set(now).symmetricDifference(then).compactMap {
                $0.split(separator: " ").first.map(String.init)
            }
            differences.append("the files are not those of the plan: " + Set(names).sorted().joined(separator: ", "))
        }
        guard !differences.isEmpty else { return }
        throw MigrationFailure(
            .drift, "the plan does not hold any more: " + differences.joined(separator: "; "),
            hint: "Make a new plan with `migrate plan`, and have it approved.")
    }
}
