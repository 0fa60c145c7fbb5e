/// How a session holds a table (PostgreSQL manual, "Explicit Locking"), from the weakest to the strongest.
public enum LockMode: String, Sendable, Codable, CaseIterable, Comparable {
    case accessShare = "ACCESS SHARE"
    case rowShare = "ROW SHARE"
    case rowExclusive = "ROW EXCLUSIVE"
    case shareUpdateExclusive = "SHARE UPDATE EXCLUSIVE"
    case share = "SHARE"
    case shareRowExclusive = "SHARE ROW EXCLUSIVE"
    case exclusive = "EXCLUSIVE"
    case accessExclusive = "ACCESS EXCLUSIVE"

    /// Reads the name of `pg_locks.mode`, such as `AccessShareLock`.
    init?(catalogName: String) {
        guard let mode = Self.allCases.first(where: { $0.catalogName == catalogName }) else { return nil }
        self = mode
    }

    private var catalogName: String {
        self.rawValue.split(separator: " ").map { $0.prefix(1) + $0.dropFirst().lowercased() }.joined() + "Lock"
    }

    private var strength: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    public static func < (left: LockMode, right: LockMode) -> Bool { left.strength < right.strength }

    /// Whether one session cannot have this while another has `other`.
    public func conflicts(with other: LockMode) -> Bool {
        let weakestInTheWay: LockMode =
            switch self {
            case .accessShare: .accessExclusive
            case .rowShare: .exclusive
            case .rowExclusive: .share
            case .shareUpdateExclusive: .shareUpdateExclusive
            case .share: .rowExclusive
            case .shareRowExclusive: .rowExclusive
            case .exclusive: .rowShare
            case .accessExclusive: .accessShare
            }
        // The one gap in the order: SHARE lets SHARE in.
        return other >= weakestInTheWay && !(self == .share && other == .share)
    }

    /// What others cannot do meanwhile.
    public var blocks: String {
        switch self {
        case .accessShare, .rowShare: "nothing that is common"
        case .rowExclusive: "index builds, schema changes"
        case .shareUpdateExclusive: "schema changes, VACUUM"
        case .share, .shareRowExclusive, .exclusive: "writes"
        case .accessExclusive: "reads and writes"
        }
    }
}
