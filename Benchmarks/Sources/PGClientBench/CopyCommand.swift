import ArgumentParser
import Glibc
import PGClient

/// COPY of a file into a table, as psql's \copy does it.
struct CopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "COPY of a file into a table: rows and seconds.")

    @Argument(help: "The rows, in the text format of COPY.") var file: String

    func run() async throws {
        let client = Bench.client(connections: 1)
        try await client.execute("TRUNCATE copied")
        let measurement = Measurement()
        let rows = try await client.copyIn("COPY copied FROM STDIN") { writer in
            guard let source = fopen(self.file, "r") else { throw BenchError.noFile }
            defer { fclose(source) }
            var piece = [UInt8](repeating: 0, count: 65_536)
            while true {
                // Out of the page cache: this blocks no longer than the copying itself takes.
                let count = fread(&piece, 1, piece.count, source)
                guard count > 0 else { break }
                try await writer.write(piece[..<count])
            }
        }
        measurement.stop().report(["rows": Double(rows)])
    }
}
