/// `user@domain`, the name of an account, folded to lower case.
///
/// Read from what clients send: a `From` header (RFC 3261, 20.20: display name, angle brackets, parameters),
/// a path segment, or a field of a body (`sip:` and `sips:` optional). Port, password, URI parameters and
/// headers are dropped: they do not name the account.
struct SIPAddress: Hashable, Sendable {
    /// Not yet a `Username`: a caller may name an account that could never exist, which is unknown, not malformed.
    let username: String
    let domain: DomainName

    init(username: Username, domain: DomainName) {
        self.username = username.value
        self.domain = domain
    }

    /// Of an account as it is stored.
    init(storedUsername username: String, domain: DomainName) {
        self.username = username
        self.domain = domain
    }

    /// Reads a `From` header field's value; `nil` when it is none. Some clients percent-encode the whole of it.
    init?(fromHeader value: String) {
        guard let value = Self.isWhollyEncoded(value) ? PercentEncoding.decode(value) : value else { return nil }
        let text = value.utf8
        if let open = Self.openingBracket(in: text) {
            guard let close = text[open...].firstIndex(of: UInt8(ascii: ">")) else { return nil }
            self.init(value[text.index(after: open)..<close])
        } else {
            self.init(Self.trimmed(value[...]))
        }
    }

    /// Reads a bare address with or without its scheme.
    init?(_ text: some StringProtocol) {
        let text = Substring(text)
        guard text.utf8.count <= 512 else { return nil }
        var rest = Self.trimmed(text)
        for scheme in ["sips:", "sip:"] where rest.utf8.count > scheme.utf8.count {
            if rest.prefix(scheme.count).lowercased() == scheme {
                rest = rest.dropFirst(scheme.count)
                break
            }
        }
        guard let at = rest.utf8.lastIndex(of: UInt8(ascii: "@")) else { return nil }
        let userInfo = rest[..<at]
        let user = userInfo.prefix { $0 != ":" }
        let host = rest[rest.utf8.index(after: at)...].prefix { !";?:".contains($0) }
        guard let username = PercentEncoding.decode(user)?.lowercased(), Self.isUser(username),
            let domain = DomainName(host)
        else { return nil }
        self.username = username
        self.domain = domain
    }

    /// Whether more than the user part is encoded, since what an address cannot do without is missing.
    private static func isWhollyEncoded(_ value: String) -> Bool {
        let start = self.trimmed(value[...]).prefix(7).lowercased()
        return !value.utf8.contains(UInt8(ascii: "@")) || ["sip%3a", "sips%3a", "%3c"].contains { start.hasPrefix($0) }
    }

    /// The `<` that opens the address: the first outside of a quoted display name.
    private static func openingBracket(in text: String.UTF8View) -> String.Index? {
        var quoted = false
        var escaped = false
        for index in text.indices {
            switch text[index] {
            case _ where escaped: escaped = false
            case UInt8(ascii: "\\") where quoted: escaped = true
            case UInt8(ascii: "\""): quoted.toggle()
            case UInt8(ascii: "<") where !quoted: return index
            default: break
            }
        }
        return nil
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }

    /// No white space, no control character, none of the delimiters that would end an address.
    private static func isUser(_ user: String) -> Bool {
        !user.isEmpty
            && user.unicodeScalars.allSatisfy { scalar in
                scalar.value > 0x20 && scalar.value != 0x7F && !"<>\"@".unicodeScalars.contains(scalar)
            }
    }
}

extension SIPAddress: CustomStringConvertible {
    var description: String { "\(self.username)@\(self.domain)" }

    /// With the scheme, as SIP messages and configuration write it.
    var uri: String { "sip:\(self)" }
}
