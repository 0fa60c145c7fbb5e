import DigestAuth

/// What somebody sends to make an account with a creation token, and the rules that it keeps.
struct RegistrationInput {
    let account: NewAccount
    let token: Secret<String>
    /// The name under which the token came.
    let tokenField: String

    /// Reads every field, or throws 422 with all that is wrong. `domain` is not looked at: the token says where.
    init(
        validating body: JSONObject, rules: ServerConfiguration, from client: ClientAddress, userAgent: String?,
        language: Language?
    ) throws(APIError) {
        var checker = Checker(body)
        let username = checker.newUsername("username", rules: rules)
        let password = checker.newPassword("password", rules: rules)
        let algorithm = checker.requiredChoice("algorithm", of: DigestAlgorithm.self)
        // Clients of before call it `token`.
        self.tokenField =
            checker.mentions("token") && body["account_creation_token"] == nil ? "token" : "account_creation_token"
        let token = checker.requiredText(self.tokenField)
        let email = checker.emailAddress("email")
        let phone = checker.phoneNumber("phone")
        let dtmfProtocol = checker.choice("dtmf_protocol", of: DTMFProtocol.self)
        try checker.finish()
        guard let username, let password, let algorithm, let token else { throw checker.incomplete }
        self.token = Secret(token)
        self.account = NewAccount(
            username: username, password: password, algorithm: algorithm, email: email, phone: phone,
            dtmfProtocol: dtmfProtocol,
            isActivated: rules.creationTokensActivate && email == nil && phone == nil,
            ipAddress: client.text, userAgent: userAgent.map { String($0.prefix(256)) },
            language: language)
    }
}
