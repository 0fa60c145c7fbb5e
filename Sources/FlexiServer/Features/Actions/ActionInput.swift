/// What an administrator sends to make or replace an action.
struct ActionInput {
    let key: String
    /// The keys to press.
    let code: String

    /// Reads every field, or throws 422 with all that is wrong.
    init(validating body: JSONObject) throws(APIError) {
        var checker = Checker(body)
        let key = checker.requiredKey("key")
        let code = checker.requiredText("code", "The code is 1 to 64 of a-z and 0-9, in lower case.") { text in
            text.utf8.count <= 64 && text.utf8.allSatisfy(\.isLowerCaseLetterOrDigit) ? text : nil
        }
        try checker.finish()
        guard let key, let code else { throw checker.incomplete }
        self.key = key
        self.code = code
    }
}
