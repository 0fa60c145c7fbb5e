/// How reads that were declared to be shareable share connections.
public struct PGSharingConfiguration: Sendable {
    /// Connections at most, besides those of the pool. A few are faster than many: the more queries a server process finds
    /// waiting, the less it costs to wake it.
    public var connections = 4

    /// Queries on one connection at most, sent and not answered; one that is slow delays those behind it.
    public var depth = 16

    public init() {}
}
