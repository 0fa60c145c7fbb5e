/// A PostgreSQL data type, named by the OID it has in every server (`pg_type.oid`).
public struct PGType: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Leaves the type to the server, which infers it from where the parameter stands; send such values as text.
    public static let unspecified = PGType(rawValue: 0)
    public static let bool = PGType(rawValue: 16)
    public static let bytea = PGType(rawValue: 17)
    /// The one-byte type `"char"` of the system catalogues.
    public static let char = PGType(rawValue: 18)
    public static let name = PGType(rawValue: 19)
    public static let int8 = PGType(rawValue: 20)
    public static let int2 = PGType(rawValue: 21)
    public static let int4 = PGType(rawValue: 23)
    public static let text = PGType(rawValue: 25)
    public static let oid = PGType(rawValue: 26)
    public static let json = PGType(rawValue: 114)
    public static let xml = PGType(rawValue: 142)
    public static let float4 = PGType(rawValue: 700)
    public static let float8 = PGType(rawValue: 701)
    public static let unknown = PGType(rawValue: 705)
    public static let bpchar = PGType(rawValue: 1042)
    public static let varchar = PGType(rawValue: 1043)
    public static let date = PGType(rawValue: 1082)
    public static let timestamp = PGType(rawValue: 1114)
    public static let timestamptz = PGType(rawValue: 1184)
    public static let uuid = PGType(rawValue: 2950)
    public static let cidr = PGType(rawValue: 650)
    public static let inet = PGType(rawValue: 869)
    public static let interval = PGType(rawValue: 1186)
    public static let numeric = PGType(rawValue: 1700)
    public static let void = PGType(rawValue: 2278)
    public static let jsonb = PGType(rawValue: 3802)

    public static let boolArray = PGType(rawValue: 1000)
    public static let byteaArray = PGType(rawValue: 1001)
    public static let int2Array = PGType(rawValue: 1005)
    public static let int4Array = PGType(rawValue: 1007)
    public static let textArray = PGType(rawValue: 1009)
    public static let int8Array = PGType(rawValue: 1016)
    public static let float4Array = PGType(rawValue: 1021)
    public static let float8Array = PGType(rawValue: 1022)
    public static let inetArray = PGType(rawValue: 1041)
    public static let dateArray = PGType(rawValue: 1182)
    public static let intervalArray = PGType(rawValue: 1187)
    public static let numericArray = PGType(rawValue: 1231)
    public static let timestamptzArray = PGType(rawValue: 1185)
    public static let uuidArray = PGType(rawValue: 2951)
    public static let jsonbArray = PGType(rawValue: 3807)

    /// A type that a database made for itself: an enum, an extension's type, a composite.
    var isUserDefined: Bool { self.rawValue >= 16384 }

    var isInteger: Bool {
        switch self {
        case .int2, .int4, .int8, .oid: true
        default: false
        }
    }

    /// Whether the binary form is text; jsonb has its version before it.
    var isText: Bool {
        switch self {
        case .text, .varchar, .bpchar, .name, .json, .jsonb, .xml, .char, .unknown: true
        default: false
        }
    }
}

extension PGType: CustomStringConvertible {
    /// The name as `format_type` prints it, or `oid N` where this library does not know the type.
    public var description: String {
        Self.names[self.rawValue] ?? "oid \(self.rawValue)"
    }

    private static let names: [UInt32: String] = [
        0: "unspecified", 16: "boolean", 17: "bytea", 18: "\"char\"", 19: "name", 20: "bigint", 21: "smallint",
        23: "integer", 25: "text", 26: "oid", 114: "json", 142: "xml", 650: "cidr", 700: "real",
        701: "double precision", 705: "unknown", 790: "money", 829: "macaddr", 869: "inet",
        1000: "boolean[]", 1001: "bytea[]", 1005: "smallint[]", 1007: "integer[]", 1009: "text[]",
        1015: "character varying[]", 1016: "bigint[]", 1021: "real[]", 1022: "double precision[]",
        1041: "inet[]", 1182: "date[]", 1187: "interval[]", 1231: "numeric[]", 1042: "character",
        1043: "character varying", 1082: "date", 1083: "time without time zone",
        1114: "timestamp without time zone", 1184: "timestamp with time zone", 1185: "timestamp with time zone[]",
        1186: "interval", 1266: "time with time zone", 1560: "bit", 1562: "bit varying", 1700: "numeric",
        2249: "record", 2278: "void", 2950: "uuid", 2951: "uuid[]", 3802: "jsonb",
        3807: "jsonb[]",
    ]
}
