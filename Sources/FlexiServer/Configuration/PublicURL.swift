/// The URL under which clients reach the server, without a slash at its end.
struct PublicURL: Hashable, Sendable {
    let text: String
    /// Empty, or a path such as `/flexiapi` that a proxy may take off.
    let path: String

    var isHTTPS: Bool {
        self.text.hasPrefix("https://")
    }

    static let local = PublicURL(text: "http://localhost:8080", path: "")

    /// `nil` for what is no absolute http or https URL, or has a query, a fragment or a user.
    init?(_ raw: String) {
        let text = raw.last == "/" ? String(raw.dropLast()) : raw
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}".utf8.contains($0) }) else { return nil }
        for scheme in ["https://", "http://"] where text.lowercased().hasPrefix(scheme) {
            let rest = text.dropFirst(scheme.count)
            let authority = rest.prefix { $0 != "/" }
            guard !authority.isEmpty, !rest.contains(where: { "?#@".contains($0) }) else { return nil }
            self.init(text: scheme + rest, path: String(rest.dropFirst(authority.count)))
            return
        }
        return nil
    }

    private init(text: String, path: String) {
        self.text = text
        self.path = path
    }

    /// The URL of a path that begins with a slash.
    func appending(_ path: String) -> String {
        self.text + path
    }
}

extension PublicURL: CustomStringConvertible {
    var description: String { self.text }
}
