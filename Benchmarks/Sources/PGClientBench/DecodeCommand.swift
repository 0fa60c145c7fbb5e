import ArgumentParser
import PGClient

/// A result of many rows, all of them turned into values.
struct DecodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode", abstract: "Results of 1,000 rows of five columns: rows and seconds.")

    @Option(help: "How many results are read.") var results = 500
    @Option(help: "How many rows a result has.") var rows = 1000

    func run() async throws {
        let client = Bench.client(connections: 1)
        let measurement = Measurement()
        var decoded = 0
        for _ in 0..<self.results {
            let rows = try await client.query(
                "SELECT id, username, domain, activated, ha1 FROM accounts WHERE id <= \(Int64(self.rows))")
            let accounts = try rows.map(AccountRow.init)
            decoded += accounts.count
        }
        guard decoded == self.results * self.rows else { throw BenchError.wrongRow }
        measurement.stop().report(["rows": Double(decoded)])
    }
}
