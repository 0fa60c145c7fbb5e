extension SIPMessage {
    static let badAddress = "The to must be a SIP address such as sip:user@example.org."
    /// What a message may hold; larger ones do not get through every proxy.
    private static let maximumBytes = 8_192

    /// Reads what an administrator sends, or throws 422 with all that is wrong. The scheme of `to` may be missing.
    init(validating body: JSONObject) throws(APIError) {
        var checker = Checker(body)
        let to = checker.requiredText("to", Self.badAddress) { text in
            // A user's name is no scheme: `sip@example.org` has none.
            guard let uri = SIPURI(text) ?? SIPURI("sip:\(text)"), uri.user != nil, uri.headers == nil else {
                return nil as SIPURI?
            }
            return uri
        }
        let text = checker.requiredText("body")
        if let text {
            if text.utf8.count > Self.maximumBytes {
                checker.fail("body", "The body is limited to \(Self.maximumBytes) bytes.")
            }
            if text.contains(where: { !$0.isNewline && $0.unicodeScalars.contains(where: Self.isControl) }) {
                checker.fail("body", "The body contains a character that is not allowed.")
            }
        }
        try checker.finish()
        guard let to, let text else { throw checker.incomplete }
        self.init(to: to, body: text)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control && scalar != "\t"
    }
}
