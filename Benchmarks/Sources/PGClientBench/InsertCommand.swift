import ArgumentParser
import PGClient

/// Many rows, each by a statement of its own, in one transaction.
struct InsertCommand: AsyncParsableCommand {
    enum Way: String, ExpressibleByArgument, CaseIterable {
        /// A statement waits for the answer to the one before.
        case single
        /// Statements are sent without waiting for answers.
        case pipelined
    }

    static let configuration = CommandConfiguration(
        commandName: "insert", abstract: "Single-row INSERT statements in one transaction: rows and seconds.")

    @Option(help: "How many rows are written.") var rows = 20_000
    @Option(help: "How the statements go to the server.") var way = Way.single

    func run() async throws {
        let client = Bench.client(connections: 1)
        try await client.execute("TRUNCATE inserted")
        let measurement = Measurement()
        try await client.withTransaction { transaction in
            switch self.way {
            case .single:
                for row in 0..<self.rows { try await transaction.execute(Self.insert(row)) }
            case .pipelined:
                let outcomes = try await transaction.pipeline { pipeline in
                    for row in 0..<self.rows { pipeline.append(Self.insert(row)) }
                }
                for outcome in outcomes { _ = try outcome.get() }
            }
        }
        let outcome = measurement.stop()
        let count = try await client.query("SELECT count(*) AS n FROM inserted").only?.decode("n", as: Int.self)
        guard count == self.rows else { throw BenchError.wrongRow }
        outcome.report(["rows": Double(self.rows)])
    }

    static func insert(_ row: Int) -> PGQuery {
        "INSERT INTO inserted (id, username, activated) VALUES (\(Int64(row)), \(String(row)), \(row % 2 == 0))"
    }
}
