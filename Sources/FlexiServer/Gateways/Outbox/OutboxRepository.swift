import FoundationEssentials
import PGClient

/// Rows of the outbox. It has no `DomainScope`: requests only add to it, and workers and operators serve every domain.
struct OutboxRepository: Sendable {
    /// A message that a worker has taken on.
    struct Taken: Sendable {
        let id: Int64
        /// Which attempt this is, from 1. Whoever takes the row later has a higher one, so a worker that was late changes nothing.
        let attempt: Int
        let key: String
        let sealed: [UInt8]
        let retryUntil: Date
    }

    /// How a row is shown to operators; nothing in it is secret.
    struct Listed: Sendable {
        let id: Int64
        let channel: String
        let state: String
        let attempts: Int
        let account: Int64?
        /// Of the next attempt, or of the end.
        let time: Date
        let lastError: String?
    }

    /// The channel of NOTIFY on which workers hear of new rows.
    static let notificationChannel: StaticString = "flexi_outbox"

    /// Tells of new rows, by the channel that they leave on, until the task is cancelled.
    static func announcements(_ database: PGClient) -> PGListener {
        database.listen(to: PGIdentifier(self.notificationChannel))
    }

    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    /// Whom a message is about.
    struct Owner: Sendable {
        /// `user@domain` of the account.
        let address: String
        /// The last one that was asked for; `nil` when none ever was.
        let language: Language?
    }

    /// The owner of an account, who asks for `language` from now on unless it is nil.
    func owner(_ account: Account.ID, speaking language: Language?) async throws -> Owner {
        if let language = language?.rawValue {
            try await self.db.execute(
                """
                UPDATE flexi.accounts SET language = \(language)
                WHERE id = \(account) AND language IS DISTINCT FROM \(language)
                """
            )
        }
        guard
            let row = try await self.db.query(
                """
                SELECT account.username || '@' || domain.name AS address, account.language
                FROM flexi.accounts AS account JOIN flexi.domains AS domain ON domain.id = account.domain_id
                WHERE account.id = \(account)
                """
            ).first
        else { throw UnknownAccount() }
        return try Owner(
            address: row.decode("address"),
            language: row.decode("language", as: String?.self).flatMap(Language.init(rawValue:)))
    }

    struct UnknownAccount: Error {}

    /// Adds a message, unless there is one with the same key, and wakes workers when the transaction commits.
    func insert(
        sealed: [UInt8], on channel: OutboxChannel, of account: Account.ID, key: String, retryUntil: Date, at now: Date
    ) async throws {
        try await self.db.query(
            """
            WITH added AS (
                INSERT INTO flexi.outbox
                    (domain_id, account_id, channel, sealed_payload, idempotency_key, next_attempt_at, retry_until, created_at)
                SELECT domain_id, id, \(channel.rawValue), \(sealed), \(key), \(now), \(retryUntil), \(now)
                FROM flexi.accounts WHERE id = \(account)
                ON CONFLICT ON CONSTRAINT outbox_idempotency_key_key DO NOTHING
                RETURNING channel
            )
            SELECT pg_notify(\(Self.notificationChannel.description), channel) FROM added
            """
        )
    }

    /// Takes messages that are due, the longest due first, and keeps other workers from them until `leaseEnd`. Rows that another
    /// worker is taking at this moment are passed over.
    func take(_ channel: OutboxChannel, limit: Int, at now: Date, until leaseEnd: Date) async throws -> [Taken] {
        try await self.db.query(
            """
            WITH due AS (
                SELECT id FROM flexi.outbox
                WHERE state = 'pending' AND channel = \(channel.rawValue) AND next_attempt_at <= \(now)
                ORDER BY next_attempt_at
                LIMIT \(limit)
                FOR UPDATE SKIP LOCKED
            )
            UPDATE flexi.outbox AS message SET attempts = attempts + 1, next_attempt_at = \(leaseEnd)
            FROM due WHERE message.id = due.id
            RETURNING message.id, message.attempts, message.idempotency_key, message.sealed_payload, message.retry_until
            """
        ).map { row in
            let attempt: Int32 = try row.decode("attempts")
            return try Taken(
                id: row.decode("id"), attempt: Int(attempt), key: row.decode("idempotency_key"),
                sealed: row.decode("sealed_payload"), retryUntil: row.decode("retry_until"))
        }
    }

    /// When the next message of the channel is due, or the lease of one that is under way ends.
    func nextAttempt(_ channel: OutboxChannel) async throws -> Date? {
        try await self.db.query(
            """
            SELECT next_attempt_at FROM flexi.outbox WHERE state = 'pending' AND channel = \(channel.rawValue)
            ORDER BY next_attempt_at LIMIT 1
            """
        ).first?.decode(Date.self)
    }

    /// The message has arrived: what it said is erased.
    func markDelivered(_ message: Taken, at now: Date) async throws {
        try await self.db.execute(
            """
            UPDATE flexi.outbox SET state = 'delivered', sealed_payload = NULL, last_error = NULL, finished_at = \(now)
            WHERE id = \(message.id) AND attempts = \(message.attempt) AND state = 'pending'
            """
        )
    }

    func postpone(_ message: Taken, until next: Date, because reason: String) async throws {
        try await self.db.execute(
            """
            UPDATE flexi.outbox SET next_attempt_at = \(next), last_error = \(reason)
            WHERE id = \(message.id) AND attempts = \(message.attempt) AND state = 'pending'
            """
        )
    }

    /// The message is given up until an operator says otherwise. Without a reason of its own the last one stays.
    func markDead(_ message: Taken, because reason: String, keepsLastError: Bool = false, at now: Date) async throws {
        try await self.db.execute(
            """
            UPDATE flexi.outbox
            SET state = 'dead', finished_at = \(now),
                last_error = CASE WHEN \(keepsLastError) THEN coalesce(last_error, \(reason)) ELSE \(reason) END
            WHERE id = \(message.id) AND attempts = \(message.attempt) AND state = 'pending'
            """
        )
    }

    // MARK: Operators

    /// The newest rows first; `nil` for every state.
    func list(state: String?, limit: Int) async throws -> [Listed] {
        try await self.db.query(
            """
            SELECT id, channel, state, attempts, account_id, coalesce(finished_at, next_attempt_at) AS time, last_error
            FROM flexi.outbox WHERE \(state)::text IS NULL OR state = \(state)
            ORDER BY id DESC LIMIT \(limit)
            """
        ).map { row in
            let attempts: Int32 = try row.decode("attempts")
            return try Listed(
                id: row.decode("id"), channel: row.decode("channel"), state: row.decode("state"),
                attempts: Int(attempts), account: row.decode("account_id"), time: row.decode("time"),
                lastError: row.decode("last_error"))
        }
    }

    /// Makes messages due at once, dead ones again; `nil` means all that are dead. Returns how many there were.
    func retry(_ ids: [Int64]?, at now: Date, until end: Date) async throws -> Int {
        let counts = try await self.db.query(
            """
            WITH retried AS (
                UPDATE flexi.outbox
                SET state = 'pending', finished_at = NULL, next_attempt_at = \(now), retry_until = greatest(retry_until, \(end))
                WHERE CASE WHEN \(ids)::bigint[] IS NULL THEN state = 'dead' ELSE id = ANY (\(ids)) AND state <> 'delivered' END
                RETURNING channel
            ), woken AS (
                SELECT pg_notify(\(Self.notificationChannel.description), channel) FROM (SELECT DISTINCT channel FROM retried) AS channels
            )
            SELECT (SELECT count(*) FROM retried) AS retried, (SELECT count(*) FROM woken)
            """
        )
        return try counts.first?.decode("retried") ?? 0
    }

    /// Deletes messages that were not delivered; `nil` means all that are dead. Returns how many there were.
    func drop(_ ids: [Int64]?) async throws -> Int {
        try await self.db.execute(
            """
            DELETE FROM flexi.outbox
            WHERE CASE WHEN \(ids)::bigint[] IS NULL THEN state = 'dead' ELSE id = ANY (\(ids)) AND state <> 'delivered' END
            """
        )
    }

    // MARK: Housekeeping

    /// Deletes at most `limit` rows that were finished before `time`, and returns how many there were.
    func deleteFinished(before time: Date, limit: Int) async throws -> Int {
        try await self.db.execute(
            """
            DELETE FROM flexi.outbox WHERE id = ANY (ARRAY(
                SELECT id FROM flexi.outbox WHERE state <> 'pending' AND finished_at < \(time) LIMIT \(limit) FOR UPDATE SKIP LOCKED
            ))
            """
        )
    }
}
