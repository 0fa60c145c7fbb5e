import CLibPQ

/// The rows that a statement returned, in memory, and what it reported about itself.
public struct PGRows: RandomAccessCollection, Sendable {
    let result: PGResult
    /// How many rows there are.
    public let count: Int

    init(_ result: PGResult) {
        self.result = result
        self.count = result.rowCount
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { self.count }

    public subscript(position: Int) -> PGRow {
        precondition(position >= 0 && position < self.count, "row index out of range")
        return PGRow(result: self.result, index: Int32(position))
    }

    /// The names of the columns, in order.
    public var columns: [String] {
        (0..<self.result.columnCount).map(self.result.columnName)
    }

    /// How many rows the statement inserted, changed, deleted or returned; 0 for statements that do not say.
    public var affectedRows: Int { self.result.affectedRows }

    /// The server's closing word, such as `INSERT 0 1`.
    public var commandTag: String { self.result.commandTag }

    /// The row when there is exactly one, nil otherwise.
    public var only: PGRow? { self.count == 1 ? self[0] : nil }
}
