import PGClient

/// Asks the database for a sign of life.
struct HealthRepository: Sendable {
    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    func ask() async throws {
        try await self.db.query("SELECT 1")
    }
}
