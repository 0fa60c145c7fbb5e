import Hummingbird

/// Which accounts an administrator lists: filters, and the part of what they let through.
struct AccountListQuery: Sendable {
    enum Part: Sendable {
        /// A numbered page, the first is 1. Costs more the farther it lies from both ends.
        case page(Int)
        /// The accounts with greater ids; costs the same everywhere.
        case after(Account.ID)
    }

    let part: Part
    let size: Int
    /// The domain that was asked for, if it matters.
    let domain: DomainName?
    let filter: AccountFilter
    /// The parameters without the part, for the addresses of other pages.
    let parameters: [(name: String, value: String)]

    init(_ request: Request, rules: ServerConfiguration) throws(APIError) {
        var given = JSONObject()
        for (name, value) in request.uri.queryParameters where !given.append(String(name), .string(String(value))) {
            throw .invalid(String(name), "The address has this parameter twice.")
        }
        var checker = Checker(given)
        func number(_ name: String, _ range: ClosedRange<Int64>) -> Int64? {
            checker.text(name, "The \(name) is a whole number from \(range.lowerBound) to \(range.upperBound).") {
                Int64($0).flatMap { range.contains($0) ? $0 : nil }
            }
        }
        let page = number("page", 1...1_000_000_000)
        let after = number("after", 0...Int64.max)
        if page != nil, after != nil { checker.fail("after", "The page is counted, or begins after an id, not both.") }
        let size = number("per_page", 1...100)
        self.domain =
            rules.managesManyDomains
            ? checker.text("domain", "The domain is not a host name.", as: { DomainName($0) }) : nil
        self.filter = AccountFilter(
            usernamePrefix: checker.text("username", "The username begins with 1 to 64 of a-z, 0-9 and . _ + -.") {
                Username($0.lowercased())
            },
            isActivated: checker.flag("activated"),
            phone: checker.phoneNumber("phone"),
            email: checker.emailAddress("email"))
        try checker.finish()
        self.part = after.map { .after(Account.ID(rawValue: $0)) } ?? .page(page.map(Int.init) ?? 1)
        self.size = size.map(Int.init) ?? 20
        self.parameters = ["per_page", "domain", "username", "activated", "phone", "email"].compactMap { name in
            if case .string(let value)? = given[name], !value.trimmed.isEmpty { (name, value) } else { nil }
        }
    }
}

/// What the accounts of a list have in common; all of what is given.
struct AccountFilter: Sendable {
    var usernamePrefix: Username?
    var isActivated: Bool?
    var phone: PhoneNumber?
    /// Whatever the case of its letters.
    var email: EmailAddress?
}
