/// A Swift type that can be a parameter of a query.
public protocol PGEncodable: Sendable {
    /// The type of the parameter, also when its value is NULL.
    static var pgType: PGType { get }
    var pgValue: PGValue { get }
}

/// Enums over `String`, `Int` and the like travel as their raw value once they declare the conformance.
extension PGEncodable where Self: RawRepresentable, RawValue: PGEncodable {
    public static var pgType: PGType { RawValue.pgType }
    public var pgValue: PGValue { self.rawValue.pgValue }
}

extension Bool: PGEncodable {
    public static var pgType: PGType { .bool }
    public var pgValue: PGValue { .integer(self ? 1 as UInt8 : 0, type: .bool) }
}

extension Int16: PGEncodable {
    public static var pgType: PGType { .int2 }
    public var pgValue: PGValue { .integer(self, type: .int2) }
}

extension Int32: PGEncodable {
    public static var pgType: PGType { .int4 }
    public var pgValue: PGValue { .integer(self, type: .int4) }
}

extension Int64: PGEncodable {
    public static var pgType: PGType { .int8 }
    public var pgValue: PGValue { .integer(self, type: .int8) }
}

/// A `bigint`.
extension Int: PGEncodable {
    public static var pgType: PGType { .int8 }
    public var pgValue: PGValue { .integer(self, type: .int8) }
}

extension Float: PGEncodable {
    public static var pgType: PGType { .float4 }
    public var pgValue: PGValue { .integer(self.bitPattern, type: .float4) }
}

extension Double: PGEncodable {
    public static var pgType: PGType { .float8 }
    public var pgValue: PGValue { .integer(self.bitPattern, type: .float8) }
}

/// A `text`. A parameter for a column of another type needs a cast in the SQL: `\(address)::inet`.
extension String: PGEncodable {
    public static var pgType: PGType { .text }
    public var pgValue: PGValue { PGValue(type: .text, content: .string(self)) }
}
