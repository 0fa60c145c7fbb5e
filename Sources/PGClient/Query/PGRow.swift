import CLibPQ
import Glibc

/// One row of a result. It keeps the whole result in memory.
public struct PGRow: Sendable {
    private let result: PGResult
    private let index: Int32

    init(result: PGResult, index: Int32) {
        self.result = result
        self.index = index
    }

    /// How many columns the row has.
    public var count: Int { self.result.columnCount }

    /// Reads a column by its name, exactly as the server spells it; of several with that name, the first.
    ///
    /// Throws `PGError` with code `decoding` that names the column when there is none, or when its value is NULL or of
    /// another type.
    @inlinable
    public func decode<Value: PGDecodable>(_ column: String, as type: Value.Type = Value.self) throws -> Value {
        let position = try self.position(of: column)
        do throws(PGDecodingError) {
            return try Value(pgCell: self.cell(position))
        } catch {
            throw self.failure(error, position, Value.self)
        }
    }

    /// Reads all columns in their order: `let (id, name) = try row.decode((Int, String).self)`.
    ///
    /// Throws `PGError` with code `decoding` when there are more or fewer columns, or as the reading by name does.
    @inlinable
    public func decode<each Value: PGDecodable>(
        _ types: (repeat each Value).Type = (repeat each Value).self
    ) throws -> (repeat each Value) {
        var position: Int32 = 0
        try self.checkCount(PackLength.of(repeat (each Value).self))
        return (repeat try self.next((each Value).self, &position))
    }

    @usableFromInline
    func next<Value: PGDecodable>(_ type: Value.Type, _ position: inout Int32) throws -> Value {
        defer { position += 1 }
        do throws(PGDecodingError) {
            return try Value(pgCell: self.cell(position))
        } catch {
            throw self.failure(error, position, Value.self)
        }
    }

    @usableFromInline
    func cell(_ column: Int32) -> PGCell {
        let pointer = self.result.pointer
        let length = Int(PQgetlength(pointer, self.index, column))
        // That of NULL is zero too.
        let isNull = length == 0 && PQgetisnull(pointer, self.index, column) != 0
        return PGCell(
            type: PGType(rawValue: PQftype(pointer, column)),
            format: PQfformat(pointer, column) == 1 ? .binary : .text,
            bytes: isNull
                ? nil : UnsafeRawBufferPointer(start: PQgetvalue(pointer, self.index, column), count: length)
        )
    }

    @usableFromInline
    func position(of column: String) throws -> Int32 {
        let found = column.withCString { name in
            (0..<PQnfields(self.result.pointer)).first { strcmp(PQfname(self.result.pointer, $0), name) == 0 }
        }
        guard let found else {
            var fields = PGError.Fields()
            fields.column = column
            throw PGError(.decoding, message: "the result has no column \(column)", fields: fields)
        }
        return found
    }

    @usableFromInline
    func checkCount(_ expected: Int) throws {
        guard expected != self.count else { return }
        throw PGError(.decoding, message: "the result has \(self.count) columns, \(expected) were asked for")
    }

    @usableFromInline
    func failure(_ error: PGDecodingError, _ position: Int32, _ target: Any.Type) -> PGError {
        var fields = PGError.Fields()
        fields.column = self.result.columnName(Int(position))
        let column = fields.column ?? ""
        return PGError(.decoding, message: "column \(column), read as \(target): \(error.reason)", fields: fields)
    }
}

@usableFromInline
enum PackLength {
    @usableFromInline
    static func of<each Value>(_ types: repeat (each Value).Type) -> Int {
        var count = 0
        for _ in repeat each types { count += 1 }
        return count
    }
}
