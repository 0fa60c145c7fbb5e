import Foundation
import Testing

@testable import Migrator

struct PlanTests {
    private func file(_ name: String, _ sql: String = "SELECT 1") throws -> MigrationFile {
        try #require(try MigrationFile(fileName: name, bytes: Array(sql.utf8)))
    }

    private func entry(_ file: MigrationFile) -> LedgerEntry {
        LedgerEntry(file)
    }

    private func pending(_ plan: Plan) -> [String] { plan.pending.map(\.file.fileName) }

    @Test func everythingIsPendingWithoutALedger() throws {
        let plan = try Plan(files: [self.file("1_a.sql"), self.file("2_b.sql"), self.file("R__v.sql")], ledger: [])
        #expect(self.pending(plan) == ["1_a.sql", "2_b.sql", "R__v.sql"])
        #expect(plan.problems.isEmpty)
    }

    @Test func whatWasAppliedIsNotPending() throws {
        let files = [try self.file("1_a.sql"), try self.file("2_b.sql"), try self.file("R__v.sql")]
        #expect(try Plan(files: files, ledger: files.map(self.entry)).pending.isEmpty)
        #expect(
            self.pending(try Plan(files: files, ledger: [self.entry(files[0]), self.entry(files[2])])) == ["2_b.sql"])
    }

    @Test func aRepeatableFileIsPendingAgainWhenItDiffersFromItsNewestEntry() throws {
        let old = try self.file("R__v.sql", "SELECT 1")
        let new = try self.file("R__v.sql", "SELECT 2")
        #expect(self.pending(try Plan(files: [new], ledger: [self.entry(old)])) == ["R__v.sql"])
        #expect(try Plan(files: [new], ledger: [self.entry(old), self.entry(new)]).pending.isEmpty)
        #expect(self.pending(try Plan(files: [old], ledger: [self.entry(old), self.entry(new)])) == ["R__v.sql"])
    }

    @Test func aTargetLeavesLaterFilesAndTheRepeatableOnes() throws {
        let files = [
            try self.file("1_a.sql"), try self.file("2_b.sql"), try self.file("3_c.sql"), try self.file("R__v.sql"),
        ]
        #expect(self.pending(try Plan(files: files, ledger: [], to: 2)) == ["1_a.sql", "2_b.sql"])
        #expect(
            self.pending(try Plan(files: files, ledger: [], to: 3)) == ["1_a.sql", "2_b.sql", "3_c.sql", "R__v.sql"])
        let failure = #expect(throws: MigrationFailure.self) { try Plan(files: files, ledger: [], to: 4) }
        #expect(failure?.kind == .usage)
    }

    @Test func aChangedFileIsDrift() throws {
        let plan = try Plan(files: [self.file("1_a.sql", "SELECT 2")], ledger: [self.entry(self.file("1_a.sql"))])
        #expect(plan.problems == [.changed(fileName: "1_a.sql")])
        let failure = #expect(throws: MigrationFailure.self) { try plan.check() }
        #expect(failure?.kind == .drift)
    }

    @Test func aFileThatWasRenamedButNotChangedIsFine() throws {
        #expect(try Plan(files: [self.file("0001_b.sql")], ledger: [self.entry(self.file("1_a.sql"))]).problems.isEmpty)
    }

    @Test func aMissingFileIsDrift() throws {
        let gone = self.entry(try self.file("1_a.sql"))
        #expect(
            try Plan(files: [self.file("2_b.sql")], ledger: [gone, self.entry(self.file("2_b.sql"))]).problems == [
                .missing(gone)
            ])
    }

    @Test func aLateFileNeedsItsDirective() throws {
        let applied = try self.file("2_b.sql")
        let late = try self.file("1_a.sql")
        let plan = try Plan(files: [late, applied], ledger: [self.entry(applied)])
        #expect(plan.problems == [.outOfOrder(fileName: "1_a.sql", newest: 2)])
        let allowed = try self.file("1_a.sql", "-- migrate:allow-out-of-order\nSELECT 1")
        #expect(try Plan(files: [allowed, applied], ledger: [self.entry(applied)]).problems.isEmpty)
    }

    @Test func twoFilesWithOneVersionAreRefused() throws {
        let plan = try Plan(files: [self.file("1_a.sql"), self.file("001_b.sql")], ledger: [])
        #expect(plan.problems == [.duplicate(first: "1_a.sql", second: "001_b.sql")])
        let failure = #expect(throws: MigrationFailure.self) { try plan.check() }
        #expect(failure?.kind == .failed)
    }

    @Test func statusTellsEachFilesState() throws {
        let applied = try self.file("1_a.sql")
        let missing = self.entry(try self.file("2_b.sql"))
        let files = [
            applied, try self.file("3_c.sql"), try self.file("4_d.sql", "SELECT 2"), try self.file("R__v.sql"),
        ]
        let ledger = [
            self.entry(applied), missing, self.entry(try self.file("4_d.sql")),
            self.entry(try self.file("R__v.sql", "SELECT 2")),
        ]
        let status = try MigrationStatus(files: files, ledger: ledger)
        let date = missing.endedAt
        #expect(
            status.lines.map(\.state) == [.applied(date), .missing(date), .pending, .changed(date), .outdated(date)])
        #expect(status.lines.map(\.slug) == ["a", "b", "c", "d", "v"])
    }
}
