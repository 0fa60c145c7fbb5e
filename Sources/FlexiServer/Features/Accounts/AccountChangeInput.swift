import DigestAuth

/// What an administrator sends to change an account, and the rules that it keeps.
struct AccountChangeInput {
    let change: AccountChange

    /// Reads every field, or throws 422 with all that is wrong.
    ///
    /// Fields that are absent stay as they are, and `null` clears. With `isWhole` the absent ones are cleared, too: all but the
    /// password, which nobody can read back, and `admin`, which not everybody may send.
    init(validating body: JSONObject, rules: ServerConfiguration, isWhole: Bool) throws(APIError) {
        var checker = Checker(body)
        // What a PATCH would clear, a PUT does not say.
        func isGiven(_ field: String) -> Bool { isWhole ? body[field] != nil : checker.mentions(field) }
        let password = checker.password("password") == nil ? nil : checker.newPassword("password", rules: rules)
        let algorithm = checker.choice("algorithm", of: DigestAlgorithm.self)
        if isGiven("password") || algorithm != nil {
            if password == nil, !checker.hasFailed("password") {
                checker.fail("password", Checker.missing("password"))
            }
            if algorithm == nil, !checker.hasFailed("algorithm") {
                checker.fail("algorithm", Checker.missing("algorithm"))
            }
        }
        func field<Value>(_ name: String, _ value: Value?) -> AccountChange.Field<Value> {
            isWhole || isGiven(name) ? .set(value) : .keep
        }
        let email = checker.emailAddress("email")
        let phone = checker.phoneNumber("phone")
        let displayName = checker.displayName("display_name")
        let dtmfProtocol = checker.choice("dtmf_protocol", of: DTMFProtocol.self)
        let username = checker.text("username")
        let domain = checker.text("domain")
        if isWhole || isGiven("activated") { checker.require("activated") }
        if isGiven("admin") { checker.require("admin") }
        let isActivated = checker.flag("activated")
        let isAdmin = checker.flag("admin")
        try checker.finish()
        self.change = AccountChange(
            username: username, domain: domain,
            password: password.flatMap { password in algorithm.map { (password, $0) } },
            email: field("email", email), phone: field("phone", phone),
            displayName: field("display_name", displayName), dtmfProtocol: field("dtmf_protocol", dtmfProtocol),
            isActivated: isActivated, isAdmin: isAdmin)
    }
}
