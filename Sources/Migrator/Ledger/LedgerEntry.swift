public import struct FoundationEssentials.Date

/// What the ledger says of one application of one file, or of one undoing of it.
public struct LedgerEntry: Sendable, Hashable {
    public enum Direction: String, Sendable {
        case up
        case down
    }

    public enum State: String, Sendable {
        case applied
        /// Taken as applied when `migrate` met a database that others had made.
        case baseline
        /// A file without transaction that a run is at, or was at when it died.
        case running
        /// A file without transaction that stopped at an error.
        case failed
        /// Was applied and undone again; also what the undoing itself says of itself.
        case undone
        /// A repair put another entry in its place.
        case replaced
    }

    public let id: Int64
    /// nil for repeatable files, which have an entry for every time they were applied.
    public let version: Int64?
    public let slug: String
    public let direction: Direction
    public let state: State
    public let sha256: [UInt8]
    public let rawSHA256: [UInt8]
    /// Who created and changed things.
    public let role: String
    /// Who logged in.
    public let sessionRole: String
    public let startedAt: Date
    /// nil while a file without transaction is not finished.
    public let finishedAt: Date?
    /// How far a file without transaction has come; 0 of 0 for others.
    public let statementsDone: Int32
    public let statementsTotal: Int32

    public init(
        id: Int64 = 0, version: Int64?, slug: String, direction: Direction = .up, state: State = .applied,
        sha256: [UInt8], rawSHA256: [UInt8], role: String = "", sessionRole: String = "", startedAt: Date,
        finishedAt: Date?, statementsDone: Int32 = 0, statementsTotal: Int32 = 0
    ) {
        self.id = id
        self.version = version
        self.slug = slug
        self.direction = direction
        self.state = state
        self.sha256 = sha256
        self.rawSHA256 = rawSHA256
        self.role = role
        self.sessionRole = sessionRole
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.statementsDone = statementsDone
        self.statementsTotal = statementsTotal
    }

    /// As a person would call it.
    var name: String {
        self.version.map { "migration \($0) (\(self.slug))" } ?? "the repeatable migration \(self.slug)"
    }

    /// When it ended, or began where it has not ended yet.
    public var endedAt: Date { self.finishedAt ?? self.startedAt }

    /// Whether the schema has what the file made.
    var isInForce: Bool { self.direction == .up && (self.state == .applied || self.state == .baseline) }

    /// Whether a file without transaction stands half-way.
    var isUnfinished: Bool { self.state == .running || self.state == .failed }
}
