import FoundationEssentials
import Logging
import PGClient

/// Deletes what has served its time: many short transactions, so that nobody waits for it and no snapshot gets old.
struct Housekeeping: Sendable {
    /// How many rows of what were deleted, in the order in which that was done; what there was none of counts 0.
    typealias Report = [(what: String, rows: Int)]

    /// Another process was at it.
    struct Busy: Error {}

    /// Rows a transaction: accounts take many others with them.
    static let batch = 200

    let services: Services

    /// Does everything that is due. Whoever `waits` takes turns with another process that does the same; the others throw `Busy`
    /// as soon as they meet one, and leave the rest to it. When cancelled, what was done is done.
    func run(waits: Bool) async throws -> Report {
        let now = self.services.now()
        var report: Report = []
        for chore in HousekeepingChore.allCases {
            guard let time = chore.limit(at: now, by: self.services.configuration) else { continue }
            let rows = try await self.repeated(waits: waits) { transaction in
                try await HousekeepingRepository(transaction).delete(
                    chore, before: time, limit: Self.batch, at: now)
            }
            report.append((chore.rawValue, rows))
        }
        let keepTime = Double(self.services.configuration.outbox.keepTime.components.seconds)
        let messages = try await self.repeated(waits: waits) { transaction in
            try await OutboxRepository(transaction).deleteFinished(
                before: now.addingTimeInterval(-keepTime), limit: Self.batch)
        }
        report.append(("finished messages", messages))
        // A few rows for each day.
        try await SMSBudgetRepository(self.services.database).deletePast(at: now)
        return report
    }

    /// Deletes batch after batch, until one is not full.
    private func repeated(waits: Bool, _ delete: @Sendable (PGTransaction) async throws -> Int) async throws -> Int {
        var total = 0
        while true {
            let rows = try await self.services.database.withTransaction { transaction in
                let lock = HousekeepingRepository(transaction)
                if waits {
                    try await lock.lock()
                } else {
                    guard try await lock.tryLock() else { throw Busy() }
                }
                return try await delete(transaction)
            }
            total += rows
            if rows < Self.batch { return total }
        }
    }
}
