import DigestAuth
import FoundationEssentials

/// What an administrator sends to make an account, and the rules that it keeps.
struct AccountInput {
    let account: NewAccount
    /// The domain that was asked for; not looked at where one domain is administered alone.
    let domain: DomainName?

    /// Reads every field, or throws 422 with all that is wrong.
    init(
        validating body: JSONObject, rules: ServerConfiguration, from client: ClientAddress, userAgent: String?
    ) throws(APIError) {
        var checker = Checker(body)
        let username = checker.newUsername("username", rules: rules)
        let password = checker.newPassword("password", rules: rules)
        let algorithm = checker.requiredChoice("algorithm", of: DigestAlgorithm.self)
        self.domain =
            rules.managesManyDomains
            ? checker.text("domain", "The domain is not a host name.", as: { DomainName($0) }) : nil
        let email = checker.emailAddress("email")
        let phone = checker.phoneNumber("phone")
        let displayName = checker.displayName("display_name")
        let dtmfProtocol = checker.choice("dtmf_protocol", of: DTMFProtocol.self)
        let isActivated = checker.flag("activated") ?? false
        let isAdmin = checker.flag("admin") ?? false
        let expiresAt = checker.time("confirmation_key_expires")
        try checker.finish()
        guard let username, let password, let algorithm else { throw checker.incomplete }
        self.account = NewAccount(
            username: username, password: password, algorithm: algorithm, email: email, phone: phone,
            displayName: displayName, dtmfProtocol: dtmfProtocol, isActivated: isActivated,
            admin: isAdmin ? .domain : nil, confirmationKeyExpiresAt: isActivated ? nil : expiresAt,
            ipAddress: client.text, userAgent: userAgent.map { String($0.prefix(256)) })
    }
}

extension Checker {
    /// A name that a new account may take, where it is free.
    mutating func newUsername(_ field: String, rules: ServerConfiguration) -> Username? {
        guard let text = self.requiredText(field) else { return nil }
        if text.unicodeScalars.count < rules.minimumUsernameLength {
            self.fail(field, "The \(field) must have at least \(rules.minimumUsernameLength) characters.")
        }
        let username = self.check(field, "The \(field) is 1 to 64 of a-z, 0-9 and . _ + -, in lower case.") {
            Username(text)
        }
        if let username, username.isPhoneNumber, !rules.allowsPhoneUsernames {
            self.fail(field, "The \(field) must not be a phone number.")
        }
        return username
    }

    mutating func emailAddress(_ field: String) -> EmailAddress? {
        self.text(
            field,
            "The \(field) is not a mail address such as name@example.org (an international domain in its xn-- form).",
            as: { EmailAddress($0) })
    }

    mutating func phoneNumber(_ field: String) -> PhoneNumber? {
        self.text(
            field, "The \(field) must be an international number, such as +33612345678.", as: { PhoneNumber($0) })
    }

    mutating func displayName(_ field: String) -> String? {
        self.text(field, "The display name is one line of at most 255 characters.") { name in
            let scalars = name.unicodeScalars
            return scalars.count <= 255 && !scalars.contains { $0.properties.generalCategory == .control } ? name : nil
        }
    }

    /// A password that is long enough to be one.
    mutating func newPassword(_ field: String, rules: ServerConfiguration) -> Secret<String>? {
        guard let password = self.requiredPassword(field) else { return nil }
        let clear = password.reveal()
        if clear.unicodeScalars.count < rules.minimumPasswordLength {
            self.fail(field, "The \(field) must have at least \(rules.minimumPasswordLength) characters.")
        }
        if clear.utf8.count > 1024 {
            self.fail(field, "The \(field) is limited to 1024 bytes.")
        }
        return password
    }
}
