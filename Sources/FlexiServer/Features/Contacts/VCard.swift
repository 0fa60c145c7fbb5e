/// A contact as a vCard 4.0 (RFC 6350), in the form that Linphone clients synchronise.
struct VCard: Sendable {
    /// The text of the card: CRLF line ends, lines folded at 75 octets (3.2).
    let text: String

    init(_ contact: Contact) {
        var lines = ["BEGIN:VCARD", "VERSION:4.0", "KIND:individual"]
        lines.append("IMPP:sip:\(contact.address)")
        let name = contact.displayName.map(Self.escaped) ?? ""
        lines.append("FN:\(name.allSatisfy(\.isWhitespace) ? contact.address : name)")
        if let dtmfProtocol = contact.dtmfProtocol {
            lines.append("X-LINPHONE-ACCOUNT-DTMF-PROTOCOL:\(dtmfProtocol.rawValue)")
        }
        for type in contact.types { lines.append("X-LINPHONE-ACCOUNT-TYPE:\(type.key)") }
        for action in contact.actions { lines.append("X-LINPHONE-ACCOUNT-ACTION:\(action.key);\(action.code)") }
        lines.append("END:VCARD")
        self.text = lines.map { Self.folded($0) + "\r\n" }.joined()
    }

    /// A text value (3.4 and 4): backslash, comma and line break are escaped, and control characters, which have no place in
    /// a card, left out. A semicolon means nothing in FN and stays raw: Linphone's parser drops the whole list for an escaped one.
    private static func escaped(_ text: String) -> String {
        var result = ""
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            defer { previous = scalar }
            switch scalar {
            case "\\": result += "\\\\"
            case ",": result += "\\,"
            case "\n" where previous == "\r": continue
            case "\n", "\r": result += "\\n"
            case "\u{0}"..."\u{8}", "\u{B}"..."\u{1F}", "\u{7F}": continue
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Breaks a line so that no part of it is longer than 75 octets, never inside the UTF-8 sequence of one character.
    private static func folded(_ line: String) -> String {
        guard line.utf8.count > 75 else { return line }
        var result = ""
        var width = 0
        for scalar in line.unicodeScalars {
            let length = UTF8.width(scalar)
            if width + length > 75 {
                result += "\r\n "
                // The space belongs to its line.
                width = 1
            }
            result.unicodeScalars.append(scalar)
            width += length
        }
        return result
    }
}
