import FoundationEssentials
import PGClient

/// The `location` table of Kamailio's usrloc module, in Kamailio's own database.
struct KamailioLocationRepository: Sendable {
    struct Binding: Sendable {
        let id: Int64
        let device: Device
    }

    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    /// What the account is registered with and has not expired.
    ///
    /// Times are either seconds since 1970 or, as Kamailio writes them by default, local times: those of the session's
    /// time zone. Permanent registrations have the time 0.
    func bindings(of account: SIPAddress, withoutDomain: Bool) async throws -> [Binding] {
        try await self.db.query(Self.bindings(of: account, withoutDomain: withoutDomain)).map(Binding.init)
    }

    /// Rows without a domain, which a usrloc with `use_domain` 0 writes, count too where `withoutDomain` says so.
    static func bindings(of account: SIPAddress, withoutDomain: Bool) -> PGQuery {
        """
        SELECT id::bigint AS id, ruid::text AS ruid, contact::text AS contact, instance::text AS instance,
            coalesce(user_agent, '')::text AS user_agent, expires_at, updated_at
        FROM (
            SELECT *,
                CASE WHEN expires::text ~ '^[0-9]+$' THEN to_timestamp(expires::text::bigint)
                    ELSE expires::text::timestamptz END AS expires_at,
                CASE WHEN last_modified::text ~ '^[0-9]+$' THEN to_timestamp(last_modified::text::bigint)
                    ELSE last_modified::text::timestamptz END AS updated_at
            FROM location
            WHERE username = \(account.username)
                AND (domain = \(account.domain.value) OR \(withoutDomain) AND coalesce(domain, '') = '')
        ) AS binding
        WHERE expires_at > now() OR expires_at < \(Self.permanent)
        """
    }

    /// Later than 0 in any time zone.
    fileprivate static let permanent = Date(timeIntervalSince1970: 365 * 24 * 60 * 60)

    func remove(_ ids: [Int64]) async throws {
        try await self.db.execute("DELETE FROM location WHERE id = ANY (\(ids))")
    }
}

extension KamailioLocationRepository.Binding {
    fileprivate init(_ row: PGRow) throws {
        self.id = try row.decode("id")
        let instance: String? = try row.decode("instance")
        let contact: String = try row.decode("contact")
        let expiresAt: Date = try row.decode("expires_at")
        self.device = try Device(
            id: Device.ID(
                instance.flatMap { $0.isEmpty ? nil : $0 } ?? SIPURI(contact)?.gruu
                    ?? row.decode("ruid", as: String.self)),
            userAgent: row.decode("user_agent"), updatedAt: row.decode("updated_at"),
            expiresAt: expiresAt < KamailioLocationRepository.permanent ? nil : expiresAt)
    }
}
