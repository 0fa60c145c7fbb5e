import CLibPQ

/// Owns one PGresult.
final class PGResult: @unchecked Sendable {  // libpq: a PGresult is read-only once PQgetResult returned it
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQclear(self.pointer)
    }

    var rowCount: Int { Int(PQntuples(self.pointer)) }
    var columnCount: Int { Int(PQnfields(self.pointer)) }

    func columnName(_ column: Int) -> String {
        PQfname(self.pointer, Int32(column)).map { String(cString: $0) } ?? ""
    }

    var commandTag: String {
        PQcmdStatus(self.pointer).map { String(cString: $0) } ?? ""
    }

    var affectedRows: Int {
        guard let digits = PQcmdTuples(self.pointer) else { return 0 }
        return Int(String(cString: digits)) ?? 0
    }
}
