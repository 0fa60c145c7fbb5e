import PGClient

/// Which database of which cluster, and how far it is migrated.
public struct ServerIdentity: Sendable, Hashable, Codable {
    /// Given to the cluster when it was made; its standbys have the same.
    public let systemIdentifier: String
    public let database: String
    /// As `150020` for 15.20.
    public let serverVersion: Int
    /// The newest applied version; nil before the first.
    public let currentVersion: Int64?
    /// The newest entry of the ledger; nil before the first. Grows with whatever a run changes.
    public let ledgerEntry: Int64?

    static func read(_ connection: PGConnection) async throws -> ServerIdentity {
        let ledger = try await Ledger(connection).entries() ?? []
        let rows = try await connection.query(
            "SELECT system_identifier::text, current_database()::text AS database FROM pg_control_system()")
        guard let row = rows.first else { throw MigrationFailure(.failed, "the server does not say which it is") }
        return try ServerIdentity(
            systemIdentifier: row.decode("system_identifier"), database: row.decode("database"),
            serverVersion: connection.serverVersion, currentVersion: AppliedMigrations(ledger).newest,
            ledgerEntry: ledger.last?.id)
    }
}
