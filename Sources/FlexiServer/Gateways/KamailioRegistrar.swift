import FoundationEssentials
import Logging
import PGClient

/// Kamailio's registrations, read from its database and deleted there.
///
/// Kamailio looks into the table for every call only with usrloc's `db_mode` 3; in the others it works from its memory,
/// which nothing here reaches.
struct KamailioRegistrar: Registrar {
    private static let width = 4
    private static let queueLimit = 64

    private var database: PGConfiguration
    private let onlyDomain: DomainName?
    private let timeout: Duration
    private let logger: Logger
    private let turnstile = Turnstile(width: Self.width, queueLimit: Self.queueLimit)

    /// A registration that names no domain belongs to `onlyDomain`, the one that is served; where several are, it
    /// could be anybody's and counts for nobody.
    init(_ database: PGConfiguration, onlyDomain: DomainName?, timeout: Duration, logger: Logger) {
        self.database = database
        // No part of a question is given up before the whole is.
        self.database.connectTimeout = timeout
        self.database.statementTimeout = timeout
        // When time is up the caller hears of it; that the server stops, too, is not waited for.
        self.database.cancelBudget = .zero
        self.onlyDomain = onlyDomain
        self.timeout = timeout
        self.logger = logger
    }

    func devices(of account: SIPAddress) async throws -> [Device] {
        try await self.withLocations { locations in
            try await Device.latest(self.bindings(of: account, in: locations).map(\.device))
        }
    }

    /// Deletes every registration of the device's: after a change of network there may be an old one.
    func remove(_ device: Device.ID, of account: SIPAddress) async throws -> Bool {
        try await self.withLocations { locations in
            let meant = try await self.bindings(of: account, in: locations).filter { $0.device.id == device }
            if meant.isEmpty { return false }
            try await locations.remove(meant.map(\.id))
            return true
        }
    }

    /// On a connection for each request: they are rare, and a server that is down is noticed at once.
    private func withLocations<Result: Sendable>(
        _ body: @escaping @Sendable (KamailioLocationRepository) async throws -> Result
    ) async throws -> Result {
        try await Neighbour.registrar.ask(within: self.timeout) {
            try await self.turnstile.pass {
                try await PGConnection.withConnection(self.database, logger: self.logger) { connection in
                    try await body(KamailioLocationRepository(connection))
                }
            }
        }
    }

    private func bindings(
        of account: SIPAddress, in locations: KamailioLocationRepository
    ) async throws -> [KamailioLocationRepository.Binding] {
        try await locations.bindings(of: account, withoutDomain: account.domain == self.onlyDomain)
    }
}
