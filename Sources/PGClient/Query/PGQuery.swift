/// SQL with its parameters. Interpolated values never become part of the text:
/// `"SELECT name FROM accounts WHERE id = \(id)"` is sent as `… WHERE id = $1` and one parameter beside it.
public struct PGQuery: Sendable, ExpressibleByStringInterpolation {
    public let sql: String
    public let binds: [PGValue]
    /// Where in `sql`, in bytes of UTF-8, the `$n` of each bind stands. Empty for SQL that was not interpolated.
    private let placeholders: [Int]

    /// Takes SQL that was put together at run time.
    ///
    /// Nothing is escaped: whoever can choose a part of `unsafeSQL` can run anything. Values belong into `binds`, in the
    /// order of `$1`, `$2` and so on.
    public init(unsafeSQL: String, binds: [PGValue] = []) {
        self.sql = unsafeSQL
        self.binds = binds
        self.placeholders = []
    }

    public init(stringLiteral value: StaticString) {
        self.init(unsafeSQL: value.description)
    }

    public init(stringInterpolation: StringInterpolation) {
        self.sql = stringInterpolation.sql
        self.binds = stringInterpolation.binds
        self.placeholders = stringInterpolation.placeholders
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        public typealias StringLiteralType = StaticString

        @usableFromInline var sql = ""
        @usableFromInline var binds: [PGValue] = []
        @usableFromInline var placeholders: [Int] = []

        public init(literalCapacity: Int, interpolationCount: Int) {
            self.sql.reserveCapacity(literalCapacity + 3 * interpolationCount)
            self.binds.reserveCapacity(interpolationCount)
        }

        public mutating func appendLiteral(_ literal: StaticString) {
            if literal.hasPointerRepresentation {
                self.sql += String(
                    decoding: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount),
                    as: UTF8.self)
            } else {
                self.sql += literal.description
            }
        }

        public mutating func appendInterpolation(_ value: some PGEncodable) {
            self.append(value.pgValue)
        }

        public mutating func appendInterpolation<Value: PGEncodable>(_ value: Value?) {
            self.append(value?.pgValue ?? .null(Value.pgType))
        }

        /// A parameter in a form of the caller's choice.
        public mutating func appendInterpolation(_ value: PGValue) {
            self.append(value)
        }

        /// A name, quoted, as a part of the text.
        public mutating func appendInterpolation(identifier: PGIdentifier) {
            self.sql += identifier.quoted
        }

        /// Another query as a part of this one, its parameters numbered on.
        ///
        /// One that was made of `unsafeSQL` cannot bring parameters along: nothing tells its `$1` from the text around it.
        public mutating func appendInterpolation(_ part: PGQuery) {
            precondition(
                part.placeholders.count == part.binds.count, "unsafe SQL with parameters cannot be a part of a query")
            let sql = part.sql.utf8
            var rest = sql.startIndex
            for (index, placeholder) in part.placeholders.enumerated() {
                let start = sql.index(sql.startIndex, offsetBy: placeholder)
                self.sql += part.sql[rest..<start]
                self.append(part.binds[index])
                rest = sql.index(start, offsetBy: 1 + String(index + 1).utf8.count)
            }
            self.sql += part.sql[rest...]
        }

        private mutating func append(_ value: PGValue) {
            self.binds.append(value)
            self.placeholders.append(self.sql.utf8.count)
            self.sql += "$"
            self.sql += String(self.binds.count)
        }
    }
}

/// The SQL with its placeholders, never a value.
extension PGQuery: CustomStringConvertible {
    public var description: String { self.sql }
}

extension PGQuery {
    /// The protocol counts parameters in 16 bits.
    static let maximumBinds = 65_535

    /// Throws for what libpq would cut off silently or the server refuse in the middle of a conversation.
    func validate() throws(PGError) {
        guard self.binds.count <= Self.maximumBinds else {
            throw PGError(
                .invalidParameter, message: "\(self.binds.count) parameters; a query takes at most 65535",
                query: self.sql)
        }
        guard !self.sql.holdsNUL else {
            throw PGError(.invalidParameter, message: "the SQL holds a NUL character")
        }
        for (index, bind) in self.binds.enumerated() {
            guard let defect = bind.defect else { continue }
            throw PGError(.invalidParameter, message: "parameter $\(index + 1): \(defect)", query: self.sql)
        }
    }
}
