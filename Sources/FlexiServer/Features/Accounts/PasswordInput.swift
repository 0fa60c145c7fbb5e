import DigestAuth

/// What somebody sends to change their password.
struct PasswordInput {
    let algorithm: DigestAlgorithm
    let oldPassword: Secret<String>?
    let password: Secret<String>

    init(validating body: JSONObject, rules: ServerConfiguration) throws(APIError) {
        var checker = Checker(body)
        let algorithm = checker.requiredChoice("algorithm", of: DigestAlgorithm.self)
        self.oldPassword = checker.password("old_password")
        let password = checker.newPassword("password", rules: rules)
        try checker.finish()
        guard let algorithm, let password else { throw checker.incomplete }
        self.algorithm = algorithm
        self.password = password
    }
}
