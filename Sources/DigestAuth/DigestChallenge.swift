/// One `WWW-Authenticate` header.
public struct DigestChallenge: Hashable, Sendable {
    public let realm: String
    public let algorithm: DigestAlgorithm
    public let nonce: String
    public let opaque: String
    /// Tells the client that its password was right and only the nonce too old, so that nobody is asked again.
    public let isStale: Bool

    public init(realm: String, algorithm: DigestAlgorithm, nonce: String, opaque: String, isStale: Bool = false) {
        self.realm = realm
        self.algorithm = algorithm
        self.nonce = nonce
        self.opaque = opaque
        self.isStale = isStale
    }

    /// Parameter order, quoting and spacing are those that deployed clients were written against.
    public var headerValue: String {
        var value = "Digest realm=\(Self.quoted(self.realm)),qop=\"auth\",algorithm=\(self.algorithm.rawValue)"
        value += ",nonce=\(Self.quoted(self.nonce)),opaque=\(Self.quoted(self.opaque))"
        if self.isStale { value += ",stale=true" }
        return value
    }

    /// A quoted-string of RFC 9110. Control characters have no quoted form; they are left out, so that no value can
    /// begin another header.
    private static func quoted(_ text: String) -> String {
        var quoted: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 where byte >= 0x20 && byte != 0x7f {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { quoted.append(UInt8(ascii: "\\")) }
            quoted.append(byte)
        }
        quoted.append(UInt8(ascii: "\""))
        return String(decoding: quoted, as: UTF8.self)
    }
}
