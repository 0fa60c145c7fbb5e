import Foundation
import Testing

@testable import Migrator

struct VerificationTests {
    private let applied = "CREATE TABLE a (\n);\n"

    private func verify(_ sql: String?) throws -> Verification {
        let files = try sql.map { [try migration("1_a.sql", $0)] } ?? []
        return try Verification(files: files, ledger: [LedgerEntry(migration("1_a.sql", self.applied))])
    }

    @Test func aFileAsItWasAppliedIsFine() throws {
        let verification = try self.verify(self.applied)
        #expect(verification.problems.isEmpty)
        #expect(verification.reformatted.isEmpty)
        #expect(verification.compared == 1)
    }

    @Test(arguments: ["CREATE TABLE a (\n  b int);\n", "-- more\nCREATE TABLE a (\n);\n"])
    func otherContentIsAProblem(_ sql: String) throws {
        #expect(try self.verify(sql).problems == [.changed(fileName: "1_a.sql")])
    }

    @Test(arguments: ["CREATE TABLE a (\r\n);\r\n", "\u{FEFF}CREATE TABLE a (\n);\n"])
    func otherLineEndsAndAByteOrderMarkAreNoProblemAndAreTold(_ sql: String) throws {
        let verification = try self.verify(sql)
        #expect(verification.problems.isEmpty)
        #expect(verification.reformatted.map(\.fileName) == ["1_a.sql"])
    }

    @Test func aMissingFileIsAProblem() throws {
        #expect(try self.verify(nil).problems.map(\.name) == ["missing"])
    }

    @Test func whatWasUndoneOrReplacedDoesNotCount() throws {
        let file = try migration("1_a.sql", self.applied)
        let entry = LedgerEntry(
            version: 1, slug: "a", state: .undone, sha256: [], rawSHA256: [], startedAt: .now, finishedAt: .now)
        let verification = try Verification(files: [file], ledger: [entry])
        #expect(verification.problems.isEmpty)
        #expect(verification.compared == 0)
    }
}
