/// What an administrator sends to make or rename a type.
struct AccountTypeInput {
    let key: String
    /// The domain that was asked for; not looked at where one domain is administered alone, nor where a type has its domain already.
    let domain: DomainName?

    /// Reads every field, or throws 422 with all that is wrong.
    init(validating body: JSONObject, rules: ServerConfiguration) throws(APIError) {
        var checker = Checker(body)
        let key = checker.requiredKey("key")
        self.domain =
            rules.managesManyDomains
            ? checker.text("domain", "The domain is not a host name.", as: { DomainName($0) }) : nil
        try checker.finish()
        guard let key else { throw checker.incomplete }
        self.key = key
    }
}

extension Checker {
    /// The name of a type or an action, by which clients know it.
    mutating func requiredKey(_ field: String) -> String? {
        self.requiredText(field, "The \(field) is 1 to 64 of a-z, 0-9, dash and underscore, in lower case.") { text in
            let isKey = text.utf8.allSatisfy { byte in
                byte.isLowerCaseLetterOrDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
            return isKey && text.utf8.count <= 64 ? text : nil
        }
    }
}

extension UInt8 {
    /// Of ASCII.
    var isLowerCaseLetterOrDigit: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }
}
