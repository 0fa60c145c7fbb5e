internal import OpenSSLCrypto

/// One file of the migrations' directory.
public struct MigrationFile: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// `0007_slug.sql`: applied once, in the order of the numbers.
        case versioned(Int64)
        /// `R__slug.sql`: applied after the versioned ones, and again when it has changed.
        case repeatable
    }

    public let fileName: String
    public let kind: Kind
    /// The name without the number or `R__`, and without `.sql`.
    public let slug: String
    public let source: SourceText
    /// SHA-256 of `source`: the same whether the file was checked out with CRLF or LF, with a byte order mark or without.
    public let sha256: [UInt8]
    /// SHA-256 of the bytes of the file.
    public let rawSHA256: [UInt8]

    /// Returns nil when the name is none of a migration.
    public init?(fileName: String, bytes: [UInt8]) throws(MalformedText) {
        guard let name = Self.parse(fileName) else { return nil }
        self.fileName = fileName
        self.kind = name.kind
        self.slug = name.slug
        self.source = try SourceText(bytes)
        self.sha256 = SHA256.hash(self.source.text)
        self.rawSHA256 = SHA256.hash(bytes)
    }

    public var version: Int64? {
        guard case .versioned(let version) = self.kind else { return nil }
        return version
    }

    /// Returns nil when the name is none of a migration.
    static func parse(_ fileName: String) -> (kind: Kind, slug: String)? {
        guard fileName.hasSuffix(".sql") else { return nil }
        let stem = fileName.dropLast(4)
        let number = stem.prefix { $0.isASCII && $0.isNumber }
        let kind: Kind
        let slug: Substring
        if stem.hasPrefix("R__") {
            kind = .repeatable
            slug = stem.dropFirst(3)
        } else if let version = Int64(number), stem.dropFirst(number.count).first == "_" {
            kind = .versioned(version)
            slug = stem.dropFirst(number.count + 1)
        } else {
            return nil
        }
        let isPlain = slug.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard !slug.isEmpty, isPlain else { return nil }
        return (kind, String(slug))
    }
}
