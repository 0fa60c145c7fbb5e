import CLibPQ

extension PGError.Fields {
    init(_ result: OpaquePointer) {
        func field(_ code: Character) -> String? {
            guard let ascii = code.asciiValue, let text = PQresultErrorField(result, Int32(ascii)) else { return nil }
            return String(cString: text)
        }
        // The codes of PG_DIAG_* in postgres_ext.h, which are character constants that Swift does not import.
        self.severity = field("V") ?? field("S")
        self.sqlState = field("C")
        self.detail = field("D")
        self.hint = field("H")
        self.position = field("P").flatMap { Int($0) }
        self.internalPosition = field("p").flatMap { Int($0) }
        self.internalQuery = field("q")
        self.context = field("W")
        self.schema = field("s")
        self.table = field("t")
        self.column = field("c")
        self.dataType = field("d")
        self.constraint = field("n")
        self.routine = field("R")
    }
}

extension PGError {
    /// Reads a failed result. Without a SQLSTATE it is libpq that speaks, of a lost connection; FATAL is the server that ends it.
    init(result: OpaquePointer, query: String?) {
        let fields = Fields(result)
        let primary = PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { String(cString: $0) }
        let message = primary ?? String(cString: PQresultErrorMessage(result)).onOneLine
        let isLost = fields.sqlState == nil || fields.severity == "FATAL" || fields.severity == "PANIC"
        self.init(isLost ? .connection : .server, message: message, fields: fields, query: query)
    }
}

extension String {
    /// What libpq says, on one line. A tab begins what belongs to the line before; it goes on with that line's sentence when it begins
    /// with a small letter.
    var onOneLine: String {
        self.replacing(#/\n\t(?=[a-z])/#, with: " ").split(whereSeparator: \.isNewline)
            .map { $0.drop { $0 == "\t" } }.joined(separator: "; ")
    }
}
