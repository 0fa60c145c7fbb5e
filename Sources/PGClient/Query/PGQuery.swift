import Glibc

/// SQL with its parameters. Interpolated values never become part of the text:
/// `"SELECT name FROM accounts WHERE id = \(id)"` is sent as `… WHERE id = $1` and one parameter beside it.
public struct PGQuery: Sendable, ExpressibleByStringInterpolation {
    /// The SQL as it is sent: UTF-8, with a NUL at its end.
    let text: [UInt8]
    let parameters: [Parameter]

    /// The SQL with its placeholders, made into a string for each time that it is read.
    public var sql: String { String(decoding: self.text.dropLast(), as: UTF8.self) }

    func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
        self.text.withUnsafeBufferPointer { text in
            text.withMemoryRebound(to: CChar.self) { chars in
                guard let start = chars.baseAddress else { preconditionFailure("the NUL is always there") }
                return body(start)
            }
        }
    }

    /// The values of `$1`, `$2` and so on.
    public var binds: [PGValue] { self.parameters.map(\.value) }

    struct Parameter: Sendable {
        let value: PGValue
        /// Where in the SQL, in bytes of UTF-8, its `$n` stands. Nil in SQL that was not interpolated.
        let placeholder: Int?
    }

    /// Takes SQL that was put together at run time.
    ///
    /// Nothing is escaped: whoever can choose a part of `unsafeSQL` can run anything. Values belong into `binds`, in the
    /// order of `$1`, `$2` and so on.
    public init(unsafeSQL: String, binds: [PGValue] = []) {
        self.text = Array(terminating: unsafeSQL.utf8)
        self.parameters = binds.map { Parameter(value: $0, placeholder: nil) }
    }

    public init(stringLiteral value: StaticString) {
        self.text = value.withUTF8Buffer { Array(terminating: $0) }
        self.parameters = []
    }

    public init(stringInterpolation: consuming StringInterpolation) {
        stringInterpolation.text.append(0)
        self.text = stringInterpolation.text
        self.parameters = stringInterpolation.parameters
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        public typealias StringLiteralType = StaticString

        /// Without the NUL.
        var text: [UInt8] = []
        var parameters: [Parameter] = []

        public init(literalCapacity: Int, interpolationCount: Int) {
            self.text.reserveCapacity(literalCapacity + 3 * interpolationCount + 1)
            self.parameters.reserveCapacity(interpolationCount)
        }

        public mutating func appendLiteral(_ literal: StaticString) {
            literal.withUTF8Buffer { self.text += $0 }
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
            self.text += identifier.quoted.utf8
        }

        /// Another query as a part of this one, its parameters numbered on.
        ///
        /// One that was made of `unsafeSQL` cannot bring parameters along: nothing tells its `$1` from the text around it.
        public mutating func appendInterpolation(_ part: PGQuery) {
            var rest = 0
            for (index, parameter) in part.parameters.enumerated() {
                guard let placeholder = parameter.placeholder else {
                    preconditionFailure("unsafe SQL with parameters cannot be a part of a query")
                }
                self.text += part.text[rest..<placeholder]
                self.append(parameter.value)
                rest = placeholder + 1 + String(index + 1).utf8.count
            }
            self.text += part.text[rest...].dropLast()
        }

        private mutating func append(_ value: PGValue) {
            self.parameters.append(Parameter(value: value, placeholder: self.text.count))
            self.text.append(UInt8(ascii: "$"))
            self.text.append(decimal: self.parameters.count)
        }
    }
}

extension [UInt8] {
    /// The bytes and a NUL.
    fileprivate init(terminating bytes: some Collection<UInt8>) {
        self.init()
        self.reserveCapacity(bytes.count + 1)
        self += bytes
        self.append(0)
    }

    fileprivate mutating func append(decimal number: Int) {
        if number >= 10 { self.append(decimal: number / 10) }
        self.append(UInt8(ascii: "0") + UInt8(number % 10))
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
        guard self.parameters.count <= Self.maximumBinds else {
            throw PGError(
                .invalidParameter, message: "\(self.parameters.count) parameters; a query takes at most 65535",
                query: self.sql)
        }
        guard self.withCString(strlen) == self.text.count - 1 else {
            throw PGError(.invalidParameter, message: "the SQL holds a NUL character")
        }
        for (index, parameter) in self.parameters.enumerated() {
            guard let defect = parameter.value.defect else { continue }
            throw PGError(.invalidParameter, message: "parameter $\(index + 1): \(defect)", query: self.sql)
        }
    }
}
