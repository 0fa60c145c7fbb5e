import FoundationEssentials

/// A value that is stored as `jsonb`, by its `Codable` conformance. Reads `json` too.
///
/// Dates in it are ISO 8601 texts. `String` reads and writes JSON that is text already, with a cast in the SQL.
public struct PGJSON<Value: Codable & Sendable>: Sendable {
    public var value: Value

    public init(_ value: Value) {
        self.value = value
    }
}

extension PGJSON: Equatable where Value: Equatable {}

extension PGJSON: PGEncodable, PGDecodable {
    public static var pgType: PGType { .jsonb }

    public var pgValue: PGValue {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        do {
            // The binary form of a jsonb is its version and its text.
            return .binary([1] + (try encoder.encode(self.value)), type: .jsonb)
        } catch {
            return PGValue(type: .jsonb, content: .invalid(reason: "a value cannot be written as JSON"))
        }
    }

    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) {
        guard cell.type == .json || cell.type == .jsonb else { throw cell.mismatch(Self.self) }
        let text = try cell.string(Self.self)
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        do {
            self.value = try decoder.decode(Value.self, from: Data(text.utf8))
        } catch {
            // The error itself may quote what is stored.
            throw PGDecodingError("the JSON is no \(Value.self)")
        }
    }
}

extension PGJSON: PGArrayElement {
    public static var pgArrayType: PGType { .jsonbArray }
    public static func pgReadsArray(of type: PGType) -> Bool { type == .json || type == .jsonb }
}
