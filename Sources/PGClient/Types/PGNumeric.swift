public import FoundationEssentials

/// A `numeric`, without any loss: up to 131,072 digits before the decimal point and 16,383 after it, NaN and the infinities.
///
/// It is made for carrying numbers, not for arithmetic: that is done in SQL, or after `Decimal(exactly:)`.
public struct PGNumeric: Hashable, Sendable {
    enum Kind: UInt16 {
        case positive = 0x0000
        case negative = 0x4000
        case notANumber = 0xC000
        case infinity = 0xD000
        case negativeInfinity = 0xF000
    }

    let kind: Kind
    /// Groups of four decimal digits, the first of them times 10000 to the power of `weight`; without zeros at either end.
    let groups: [Int16]
    let weight: Int16
    /// How many digits are shown after the decimal point.
    let scale: Int16

    public static let notANumber = PGNumeric(kind: .notANumber)
    /// From PostgreSQL 14 on.
    public static let infinity = PGNumeric(kind: .infinity)
    public static let negativeInfinity = PGNumeric(kind: .negativeInfinity)

    private init(kind: Kind) {
        (self.kind, self.groups, self.weight, self.scale) = (kind, [], 0, 0)
    }

    init?(kind: Kind, groups: [Int16], weight: Int, scale: Int) {
        var groups = groups[...]
        var weight = weight
        while groups.first == 0 {
            groups.removeFirst()
            weight -= 1
        }
        while groups.last == 0 { groups.removeLast() }
        if groups.isEmpty { weight = 0 }
        guard let weight = Int16(exactly: weight), (0...16_383).contains(scale) else { return nil }
        self.kind = groups.isEmpty && kind == .negative ? .positive : kind
        self.groups = Array(groups)
        self.weight = weight
        self.scale = Int16(scale)
    }

    public init(_ integer: Int) {
        // Digits of an integer are always a number.
        self = PGNumeric(String(integer)) ?? .notANumber
    }

    /// Reads digits with an optional sign and decimal point, `NaN`, `Infinity` or `-Infinity`; nil for anything else, as for an exponent.
    /// Zeros at the end are kept: they are a part of what a `numeric` shows.
    public init?(_ text: some StringProtocol) {
        switch text {
        case "NaN": self = .notANumber
        case "Infinity": self = .infinity
        case "-Infinity": self = .negativeInfinity
        default:
            let sign = text.first.flatMap { $0 == "-" || $0 == "+" ? $0 : nil }
            let parts = text.dropFirst(sign == nil ? 0 : 1).split(separator: ".", omittingEmptySubsequences: false)
            guard (1...2).contains(parts.count), parts.contains(where: { !$0.isEmpty }) else { return nil }
            let fraction = parts.count == 2 ? parts[1].utf8.count : 0
            let leading = (4 - parts[0].utf8.count % 4) % 4
            let trailing = (4 - fraction % 4) % 4
            let digits =
                [UInt8](repeating: 48, count: leading) + parts.flatMap(\.utf8) + [UInt8](repeating: 48, count: trailing)
            var groups: [Int16] = []
            for start in stride(from: 0, to: digits.count, by: 4) {
                var group: Int16 = 0
                for digit in digits[start..<start + 4] {
                    guard (48...57).contains(digit) else { return nil }
                    group = group * 10 + Int16(digit - 48)
                }
                groups.append(group)
            }
            let weight = (leading + parts[0].utf8.count) / 4 - 1
            self.init(kind: sign == "-" ? .negative : .positive, groups: groups, weight: weight, scale: fraction)
        }
    }

    public var isFinite: Bool { self.kind == .positive || self.kind == .negative }
}

/// As PostgreSQL writes it.
extension PGNumeric: LosslessStringConvertible {
    public init?(_ description: String) {
        self.init(description[...])
    }

    public var description: String {
        switch self.kind {
        case .notANumber: return "NaN"
        case .infinity: return "Infinity"
        case .negativeInfinity: return "-Infinity"
        case .positive, .negative: break
        }
        func group(_ position: Int) -> String {
            let index = Int(self.weight) - position
            let digits = String(self.groups.indices.contains(index) ? self.groups[index] : 0)
            return String(repeating: "0", count: 4 - digits.utf8.count) + digits
        }
        let whole = self.weight < 0 ? "" : (0...Int(self.weight)).reversed().map(group).joined()
        let trimmed = whole.drop { $0 == "0" }
        var text = (self.kind == .negative ? "-" : "") + (trimmed.isEmpty ? "0" : trimmed)
        if self.scale > 0 {
            let fraction = (0..<(Int(self.scale) + 3) / 4).map { group(-1 - $0) }.joined()
            text += "." + fraction.prefix(Int(self.scale))
        }
        return text
    }
}

extension PGNumeric: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int) {
        self.init(value)
    }
}

extension PGNumeric: PGEncodable, PGDecodable {
    public static var pgType: PGType { .numeric }

    public var pgValue: PGValue {
        var bytes: [UInt8] = []
        func append(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
        }
        append(UInt16(self.groups.count))
        append(self.weight)
        append(self.kind.rawValue)
        append(self.scale)
        for group in self.groups { append(group) }
        return .binary(bytes, type: .numeric)
    }

    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) {
        guard let bytes = cell.bytes else { throw PGDecodingError("the value is NULL") }
        guard cell.type == .numeric else { throw cell.mismatch(Self.self) }
        guard cell.format == .binary else {
            guard let value = Self(String(decoding: bytes, as: UTF8.self)[...]) else { throw cell.mismatch(Self.self) }
            self = value
            return
        }
        func word(_ index: Int) -> UInt16 {
            UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
        }
        guard bytes.count >= 8, bytes.count == 8 + 2 * Int(word(0)), let kind = Kind(rawValue: word(2)) else {
            throw cell.mismatch(Self.self)
        }
        let groups = (0..<Int(word(0))).map { Int16(bitPattern: word(4 + $0)) }
        let weight = Int(Int16(bitPattern: word(1)))
        guard let value = Self(kind: kind, groups: groups, weight: weight, scale: Int(word(3) & 0x3FFF)) else {
            throw cell.mismatch(Self.self)
        }
        self = kind == .positive || kind == .negative ? value : PGNumeric(kind: kind)
    }
}

extension PGNumeric: PGArrayElement {
    public static var pgArrayType: PGType { .numericArray }
    public static func pgReadsArray(of type: PGType) -> Bool { type == .numeric }
}

extension Decimal {
    /// The same number; nil when it has more digits than a `Decimal` holds, or is infinite.
    public init?(exactly numeric: PGNumeric) {
        guard numeric.kind != .notANumber else {
            self = .nan
            return
        }
        guard numeric.isFinite, let value = Decimal(string: numeric.description),
            let back = PGNumeric(value.description), back.isSameNumber(as: numeric)
        else { return nil }
        self = value
    }
}

/// A `numeric`. Reading throws when the number has more digits than a `Decimal` holds; `PGNumeric` holds every one.
extension Decimal: PGEncodable, PGDecodable, PGArrayElement {
    public static var pgType: PGType { .numeric }
    public static var pgArrayType: PGType { .numericArray }
    public static func pgReadsArray(of type: PGType) -> Bool { type == .numeric }

    public var pgValue: PGValue {
        // `description` of a Decimal never has an exponent.
        (PGNumeric(self.description) ?? .notANumber).pgValue
    }

    public init(pgCell cell: borrowing PGCell) throws(PGDecodingError) {
        let numeric = try PGNumeric(pgCell: cell)
        guard let value = Decimal(exactly: numeric) else {
            throw PGDecodingError("the number does not fit into Decimal without loss")
        }
        self = value
    }
}

extension PGNumeric {
    /// Whether both are the same number, however many zeros they show at the end.
    func isSameNumber(as other: PGNumeric) -> Bool {
        self.kind == other.kind && self.groups == other.groups && self.weight == other.weight
    }
}
