/// A SIP or SIPS URI, part by part (RFC 3261, 19.1.1 and 25.1). Its text holds no white space and no control character.
struct SIPURI: Hashable, Sendable {
    struct Parameter: Hashable, Sendable {
        let name: String
        let value: String?
    }

    let isSecure: Bool
    /// As it is written, escapes included; `nil` when the URI names a host alone.
    let user: String?
    let password: String?
    /// A name, an IPv4 address, or an IPv6 address with its brackets.
    let host: String
    let port: Int?
    let parameters: [Parameter]
    /// What follows `?`, as it is written.
    let headers: String?

    /// `nil` for anything but one whole URI of at most 1,024 bytes.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count <= 1_024 else { return nil }
        var rest = Substring(text)
        let scheme = rest.prefix { $0 != ":" }
        guard scheme.endIndex < rest.endIndex else { return nil }
        switch scheme.lowercased() {
        case "sip": self.isSecure = false
        case "sips": self.isSecure = true
        default: return nil
        }
        rest = rest[rest.index(after: scheme.endIndex)...]

        // User and password may hold `;` and `?`; an `@` stands between them and the host alone.
        if let at = rest.lastIndex(of: "@") {
            let userInfo = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let user = userInfo.first, !user.isEmpty, Self.consists(user, of: "&=+$,;?/"),
                userInfo.dropFirst().allSatisfy({ Self.consists($0, of: "&=+$,") })
            else { return nil }
            self.user = String(user)
            self.password = userInfo.count == 2 ? String(userInfo[1]) : nil
            rest = rest[rest.index(after: at)...]
        } else {
            (self.user, self.password) = (nil, nil)
        }

        if let question = rest.firstIndex(of: "?") {
            let headers = rest[rest.index(after: question)...]
            guard !headers.isEmpty, Self.consists(headers, of: "[]/?:+$=&") else { return nil }
            self.headers = String(headers)
            rest = rest[..<question]
        } else {
            self.headers = nil
        }

        var parts = rest.split(separator: ";", omittingEmptySubsequences: false)
        guard let (host, port) = Self.hostAndPort(parts.removeFirst()) else { return nil }
        (self.host, self.port) = (host, port)
        var parameters: [Parameter] = []
        for part in parts {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = pair.first, pair.allSatisfy({ !$0.isEmpty && Self.consists($0, of: "[]/:&+$") }) else {
                return nil
            }
            parameters.append(Parameter(name: String(name), value: pair.count == 2 ? String(pair[1]) : nil))
        }
        self.parameters = parameters
    }

    /// The value of the parameter, whose name is compared without regard to case, with its escapes undone.
    func parameter(_ name: String) -> String? {
        self.parameters.first { $0.name.lowercased() == name }?.value.flatMap(PercentEncoding.decode)
    }

    /// The instance that the URI of a registered device names as its own (RFC 5627, 3.1).
    var gruu: String? { self.parameter("gr") }

    private static func hostAndPort(_ text: Substring) -> (String, Int?)? {
        let host: Substring
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else { return nil }
            host = text[...close]
            let address = host.dropFirst().dropLast()
            guard !address.isEmpty, address.utf8.allSatisfy({ Self.isHexadecimal($0) || ":.".utf8.contains($0) })
            else { return nil }
        } else {
            host = text.prefix { $0 != ":" }
            guard DomainName(host.last == "." ? host.dropLast() : host) != nil else { return nil }
        }
        let rest = text[host.endIndex...]
        if rest.isEmpty { return (String(host), nil) }
        let digits = rest.dropFirst()
        guard rest.first == ":", digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = Int(digits), (1...65_535).contains(port)
        else { return nil }
        return (String(host), port)
    }

    /// Whether the text is made of unreserved characters, whole escapes, and the given ones.
    private static func consists(_ text: Substring, of reserved: StaticString) -> Bool {
        let reserved = String(describing: reserved).utf8
        var bytes = text.utf8[...]
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard bytes.count >= 2, bytes.prefix(2).allSatisfy(self.isHexadecimal) else { return false }
                bytes = bytes.dropFirst(2)
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                continue
            default:
                guard "-_.!~*'()".utf8.contains(byte) || reserved.contains(byte) else { return false }
            }
        }
        return true
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        Character(Unicode.Scalar(byte)).isHexDigit
    }
}

extension SIPURI: CustomStringConvertible {
    var description: String {
        var text = self.isSecure ? "sips:" : "sip:"
        if let user { text += user + (self.password.map { ":\($0)" } ?? "") + "@" }
        text += self.host + (self.port.map { ":\($0)" } ?? "")
        for parameter in self.parameters {
            text += ";\(parameter.name)" + (parameter.value.map { "=\($0)" } ?? "")
        }
        return text + (self.headers.map { "?\($0)" } ?? "")
    }
}
