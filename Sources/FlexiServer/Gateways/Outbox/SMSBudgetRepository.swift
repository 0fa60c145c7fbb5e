import FoundationEssentials
import PGClient

/// Counts of short messages by day.
struct SMSBudgetRepository: Sendable {
    private let db: any PGQuerying

    init(_ db: any PGQuerying) {
        self.db = db
    }

    /// Counts one more for the day of `now` (UTC); `false`, with nothing changed, when `limit` was reached before.
    func spend(_ subjectHash: [UInt8], limit: Int, at now: Date) async throws -> Bool {
        try await self.db.execute(
            """
            INSERT INTO flexi.sms_budgets AS budget (day, subject_hash, used)
            VALUES ((\(now) AT TIME ZONE 'UTC')::date, \(subjectHash), 1)
            ON CONFLICT ON CONSTRAINT sms_budgets_pkey DO UPDATE SET used = budget.used + 1 WHERE budget.used < \(limit)
            """
        ) == 1
    }

    /// Deletes the counts of days before that of `now`.
    func deletePast(at now: Date) async throws {
        try await self.db.execute("DELETE FROM flexi.sms_budgets WHERE day < (\(now) AT TIME ZONE 'UTC')::date")
    }
}
