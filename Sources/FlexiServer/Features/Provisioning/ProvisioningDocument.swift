/// A Linphone configuration: named sections of entries, written as the XML that clients fetch (`lpconfig.xsd`).
///
/// Sections of one name are one section, and an entry set twice keeps the later value, since a client reads
/// only the first section of a name.
struct ProvisioningDocument: Equatable, Sendable {
    struct Section: Equatable, Sendable {
        let name: String
        fileprivate(set) var entries: [Entry] = []
    }

    struct Entry: Equatable, Sendable {
        let name: String
        fileprivate(set) var value: String
    }

    private(set) var sections: [Section] = []

    mutating func set(_ entry: String, in section: String, to value: String) {
        let index = self.openSection(section)
        if let existing = self.sections[index].entries.firstIndex(where: { $0.name == entry }) {
            self.sections[index].entries[existing].value = value
        } else {
            self.sections[index].entries.append(Entry(name: entry, value: value))
        }
    }

    func value(of entry: String, in section: String) -> String? {
        self.sections.first { $0.name == section }?.entries.first { $0.name == entry }?.value
    }

    private mutating func openSection(_ name: String) -> Int {
        if let index = self.sections.firstIndex(where: { $0.name == name }) { return index }
        self.sections.append(Section(name: name))
        return self.sections.count - 1
    }

    /// With `overwrite`, every entry is marked to replace what the client already has; without the mark
    /// a client keeps its own.
    func xml(overwrite: Bool) -> String {
        let mark = overwrite ? " overwrite=\"true\"" : ""
        var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        xml += "<config xmlns=\"http://www.linphone.org/xsds/lpconfig.xsd\">\n"
        for section in self.sections {
            xml += "  <section name=\"\(Self.escaped(section.name))\">\n"
            for entry in section.entries {
                xml += "    <entry name=\"\(Self.escaped(entry.name))\"\(mark)>\(Self.escaped(entry.value))</entry>\n"
            }
            xml += "  </section>\n"
        }
        return xml + "</config>\n"
    }

    /// Text for an element or a quoted attribute. Characters that XML 1.0 cannot carry (2.2) are left out;
    /// line breaks and tabs are written as references, which an attribute keeps.
    private static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\t", "\n", "\r": result += "&#\(scalar.value);"
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": continue
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension ProvisioningDocument {
    /// What a client needs to register one account.
    struct Account: Sendable {
        struct Credential: Sendable {
            let algorithm: String
            let realm: String
            let ha1: Secret<String>
        }

        let address: SIPAddress
        let credentials: [Credential]
    }

    /// Adds the account as `proxy_0`, with one `auth_info_N` for each hash it has. What the document says of the proxy
    /// stays; where it names none the domain itself is taken, since a client ignores an account without one.
    mutating func add(_ account: Account) {
        if self.value(of: "reg_proxy", in: "proxy_0") == nil {
            self.set("reg_proxy", in: "proxy_0", to: "<sip:\(account.address.domain)>")
        }
        self.set("reg_identity", in: "proxy_0", to: "<\(account.address.uri)>")
        self.set("reg_sendregister", in: "proxy_0", to: "1")
        self.set("refkey", in: "proxy_0", to: "push_notification")
        for (index, credential) in account.credentials.enumerated() {
            let section = "auth_info_\(index)"
            self.set("username", in: section, to: account.address.username)
            self.set("domain", in: section, to: account.address.domain.value)
            self.set("ha1", in: section, to: credential.ha1.reveal())
            self.set("realm", in: section, to: credential.realm)
            self.set("algorithm", in: section, to: credential.algorithm)
        }
    }
}
