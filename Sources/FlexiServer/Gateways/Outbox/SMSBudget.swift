import FoundationEssentials
import OpenSSLCrypto
import PGClient

/// How many short messages may be sent in a day (UTC): they cost money, and a form that sends them to any number is what fraud lives on.
struct SMSBudget: Sendable {
    private let services: Services

    init(_ services: Services) {
        self.services = services
    }

    /// Counts one message in `transaction`.
    ///
    /// - Throws: `APIError` 429 when one of the budgets is used up; the transaction is to be given up.
    func spend(
        account: Account.ID, number: PhoneNumber, client: ClientAddress, in transaction: PGTransaction
    ) async throws {
        guard let limits = self.services.configuration.sms?.dailyLimits else { return }
        let now = self.services.now()
        let subjects = [
            ("account \(account.rawValue)", limits.perAccount), ("number \(number)", limits.perNumber),
            ("address \(client.network)", limits.perAddress), ("all", limits.total),
        ].filter { $0.1 > 0 }.map { subject, limit in
            (HMACSHA256.authenticate(Array(subject.utf8), key: self.services.keys.budget), limit)
        }
        let budgets = SMSBudgetRepository(transaction)
        // In one order, so that no two requests wait for each other.
        for (subject, limit) in subjects.sorted(by: { $0.0.lexicographicallyPrecedes($1.0) }) {
            guard try await budgets.spend(subject, limit: limit, at: now) else {
                let seconds = Int(now.timeIntervalSince1970) % 86_400
                throw APIError.tooManyRequests(retryAfter: 86_400 - seconds)
            }
        }
    }
}
