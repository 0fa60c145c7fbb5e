import PGClient
import PGTesting
import Testing

/// Tasks that share a connection, one of which has a transaction on it: nobody's statement gets into somebody else's transaction, also not
/// in the moment in which it begins or ends.
@Suite(.timeLimit(.minutes(5))) struct TransactionTurnTests {
    private static let rounds = 300

    private struct Refusal: Error {}

    /// Runs `one` and `other` again and again beside each other on one connection, and returns the numbers with which `other` succeeded
    /// and those that the table has afterwards.
    private func race(
        _ one: @escaping @Sendable (PGConnection) async throws -> Void,
        _ other: @escaping @Sendable (PGConnection, Int) async throws -> Void
    ) async throws -> (claimed: [Int], stored: [Int]) {
        try await withConnection { connection in
            try await connection.simpleQuery(unsafeSQL: "CREATE TABLE t(x int)")
            let claimed = try await withThrowingTaskGroup(of: [Int].self) { tasks in
                tasks.addTask {
                    for _ in 0..<Self.rounds { try await Self.allowing(.invalidState) { try await one(connection) } }
                    return []
                }
                tasks.addTask {
                    var claimed: [Int] = []
                    for number in 0..<Self.rounds {
                        if try await Self.allowing(.invalidState, { try await other(connection, number) }) {
                            claimed.append(number)
                        }
                    }
                    return claimed
                }
                return try await tasks.reduce(into: []) { $0 += $1 }
            }
            let stored = try await connection.query("SELECT x FROM t ORDER BY x").map {
                try $0.decode("x", as: Int.self)
            }
            return (claimed, stored)
        }
    }

    /// Whether `body` succeeded; it may also be refused, or end by its own `Refusal`.
    @discardableResult
    private static func allowing(_ code: PGError.Code, _ body: () async throws -> Void) async throws -> Bool {
        do {
            try await body()
            return true
        } catch let error as PGError where error.code == code {
            return false
        } catch is Refusal {
            return false
        }
    }

    @Test func aStatementBesideATransactionIsNotUndoneByIt() async throws {
        let (claimed, stored) = try await self.race { connection in
            try await connection.withTransaction { transaction in
                try await transaction.query("SELECT 1")
                throw Refusal()
            }
        } _: { connection, number in
            try await connection.execute("INSERT INTO t VALUES (\(number))")
        }
        #expect(claimed == stored)
    }

    @Test func twoTransactionsDoNotGetIntoEachOther() async throws {
        let (claimed, stored) = try await self.race { connection in
            try await connection.withTransaction { _ in }
        } _: { connection, number in
            try await connection.withTransaction { transaction in
                try await transaction.execute("INSERT INTO t VALUES (\(number))")
                if number % 2 == 0 { throw Refusal() }
            }
        }
        #expect(claimed == stored)
    }

    @Test func aStatementThatFailsBesideATransactionDoesNotBreakIt() async throws {
        let (claimed, stored) = try await self.race { connection in
            do {
                try await connection.query("SELECT 1 / 0")
            } catch let error as PGError where error.sqlState == "22012" {
                return
            }
        } _: { connection, number in
            _ = try await connection.withTransaction { transaction in
                try await transaction.execute("INSERT INTO t VALUES (\(number))")
            }
        }
        #expect(claimed == stored)
    }

    /// A task that kept the transaction cannot get behind its end.
    @Test func aStatementOfATransactionThatEndsIsInItOrRefused() async throws {
        try await withConnection { connection in
            try await connection.simpleQuery(unsafeSQL: "CREATE TABLE t(x int)")
            for number in 0..<Self.rounds {
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    try await Self.allowing(.invalidState) {
                        try await connection.withTransaction { transaction in
                            tasks.addTask {
                                try await Self.allowing(.invalidState) {
                                    _ = try await transaction.execute("INSERT INTO t VALUES (\(number))")
                                }
                            }
                            // The last statement before the end, with which the other one races.
                            try await transaction.query("SELECT 1")
                            throw Refusal()
                        }
                    }
                    try await tasks.waitForAll()
                }
            }
            let stored = try await connection.query("SELECT x FROM t")
            #expect(stored.isEmpty)
        }
    }
}
