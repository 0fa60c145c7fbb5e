import Foundation
import Testing

@testable import Migrator

/// psql is asked how it splits the same text.
@Suite(.timeLimit(.minutes(10)))
struct SQLSplittingTests {
    /// A file of the folder Corpus holds many texts, each after a line `--- NAME`.
    private func corpus() throws -> [(name: String, text: String)] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.sorted { $0.path < $1.path }.flatMap { file in
            try String(contentsOf: file, encoding: .utf8).split(separator: #/(?m)^--- /#).map { part in
                let name = part.prefix { $0 != "\n" }
                return ("\(file.lastPathComponent): \(name)", String(part.dropFirst(name.count + 1)))
            }
        }
    }

    /// psql leaves empty lines between tokens out; here they are left out everywhere.
    private func comparable(_ statement: String) -> String {
        statement.utf8.split(separator: UInt8(ascii: "\n")).map { String(Substring($0)) }.joined(separator: "\n")
    }

    private func expectSplitAsPsqlDoes(_ texts: [(name: String, text: String)]) async throws {
        let sent = try await PsqlOracle.statements(of: texts.map(\.text))
        for ((name, text), sent) in zip(texts, sent) {
            let source = try SourceText(text)
            let ours = try SQLLexer.split(source).statements.map { self.comparable(source[bytes: $0.bytes]) }
            let theirs = sent.map(self.comparable)
            let first = zip(ours, theirs).first { $0 != $1 }
            #expect(first == nil && ours.count == theirs.count, "\(name): not the same: \(first ?? ("", ""))")
        }
    }

    @Test func writtenFilesAreSplitAsPsqlDoes() async throws {
        let corpus = try self.corpus()
        #expect(corpus.count >= 150)
        try await self.expectSplitAsPsqlDoes(corpus)
    }

    @Test func generatedFilesAreSplitAsPsqlDoes() async throws {
        let count = ProcessInfo.processInfo.environment["GENERATED_SQL_FILES"].flatMap(UInt64.init) ?? 200
        try await self.expectSplitAsPsqlDoes(
            (1...count).map { seed in
                var generator = SQLGenerator(seed: seed)
                return ("seed \(seed)", generator.file())
            })
    }
}
