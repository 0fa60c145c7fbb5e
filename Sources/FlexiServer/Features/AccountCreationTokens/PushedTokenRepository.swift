import FoundationEssentials
import PGClient

/// Account creation tokens that were sent to devices.
struct PushedTokenRepository: Sendable {
    /// How long an unused token keeps its device from getting another one: a notification may be under way for so long.
    static let waitingTime: TimeInterval = 60 * 60
    /// The time in which a device gets `maximumPerDevice` tokens at most.
    static let period: TimeInterval = 30 * 24 * 60 * 60
    static let maximumPerDevice = 4

    struct History: Sendable {
        let count: Int64
        /// Whether one of them may still arrive and be used.
        let isWaiting: Bool
    }

    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    /// What the device has been sent lately. Whoever else asks about the same device waits for the end of the
    /// transaction, so that of several requests at once one sends a token.
    func lockedHistory(of device: PushDevice, at now: Date) async throws -> History {
        let name = "\(device.provider.rawValue) \(device.parameter) \(device.resourceID)"
        try await self.db.query("SELECT pg_advisory_xact_lock(hashtextextended(\(name), 0))")
        return try await self.db.query(Self.history(of: device, at: now)).map { row in
            try History(count: row.decode("count"), isWaiting: row.decode("is_waiting"))
        }[0]  // an aggregate is always one row
    }

    static func history(of device: PushDevice, at now: Date) -> PGQuery {
        """
        SELECT count(*) AS count, coalesce(
            bool_or(used_at IS NULL AND created_at > \(now.addingTimeInterval(-Self.waitingTime))), false
        ) AS is_waiting
        FROM flexi.account_creation_tokens
        WHERE pn_prid = \(device.resourceID) AND pn_provider = \(device.provider.rawValue)
            AND pn_param = \(device.parameter) AND created_at > \(now.addingTimeInterval(-Self.period))
        """
    }

    /// Keeps the SHA-256 of a token for an account in the domain, and returns the row's id.
    func insert(
        _ tokenHash: [UInt8], for device: PushDevice, in domain: RegisteredDomain.ID, at now: Date
    ) async throws -> Int64 {
        try await self.db.query(
            """
            INSERT INTO flexi.account_creation_tokens
                (domain_id, token_hash, pn_provider, pn_param, pn_prid, created_at)
            VALUES
                (\(domain), \(tokenHash), \(device.provider.rawValue), \(device.parameter), \(device.resourceID), \(now))
            RETURNING id
            """
        )[0].decode(Int64.self)
    }

    /// Forgets a token that was not sent after all.
    func remove(_ id: Int64) async throws {
        try await self.db.execute("DELETE FROM flexi.account_creation_tokens WHERE id = \(id) AND used_at IS NULL")
    }
}
