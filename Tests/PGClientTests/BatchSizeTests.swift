import Testing

@testable import PGClient

@Suite struct BatchSizeTests {
    @Test func oneStatementAtATimeUntilTheyAreKnownToBeQuick() {
        #expect(BatchSize(limit: 64).statements == 1)
    }

    /// Of statements that take 50 µs each, as many as take a millisecond.
    @Test func aBatchTakesTheServerAboutAMillisecond() {
        var size = BatchSize(limit: 64)
        for _ in 0..<100 { size.note(10, in: .microseconds(500)) }
        #expect((19...20).contains(size.statements))
    }

    @Test func quickStatementsFillABatchToItsLimit() {
        var size = BatchSize(limit: 64)
        for _ in 0..<100 { size.note(64, in: .microseconds(64)) }
        #expect(size.statements == 64)
    }

    @Test func statementsThatTakeLongGoAloneAgain() {
        var size = BatchSize(limit: 64)
        for _ in 0..<100 { size.note(64, in: .microseconds(64)) }
        size.note(1, in: .seconds(1))
        #expect(size.statements == 1)
    }

    @Test func aBatchWithoutStatementsTellsNothing() {
        var size = BatchSize(limit: 64)
        size.note(0, in: .zero)
        #expect(size.statements == 1)
    }
}
