public import struct FoundationEssentials.Date

/// What the ledger says of one application of one file.
public struct LedgerEntry: Sendable, Hashable {
    /// nil for repeatable files, which have an entry for every time they were applied.
    public let version: Int64?
    public let slug: String
    public let sha256: [UInt8]
    public let finishedAt: Date

    public init(version: Int64?, slug: String, sha256: [UInt8], finishedAt: Date) {
        self.version = version
        self.slug = slug
        self.sha256 = sha256
        self.finishedAt = finishedAt
    }
}
