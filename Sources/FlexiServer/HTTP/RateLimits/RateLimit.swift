/// What is counted, each for itself.
enum RateLimit: Int, CaseIterable, Sendable {
    /// Every request: of an account where it has proved who it is, of a network otherwise.
    case requests
    /// Requests of one network whose proof failed, for whatever account.
    case failures
    /// Wrong answers to a digest challenge and wrong old passwords of one account, from one network.
    case authentication
    /// Wrong codes for one account, from one network.
    case codes
    /// Public questions whether an account exists, from one network.
    case info
    /// Push notifications asked for by one network.
    case push
    /// Short messages asked for by one account or network, or sent to one number.
    case sms
    /// Mails asked for by one account or network, or sent to one address.
    case mail

    /// Who is counted.
    enum Subject: Hashable, Sendable {
        case network(ClientNetwork)
        case account(Account.ID)
        /// Whoever claims to be an account, whether it is there or not.
        case claim(username: String, domain: DomainName, ClientNetwork)
        /// Where a message goes.
        case recipient(String)
    }

    /// What is left of a limit, for the headers of an answer.
    struct Allowance: Sendable {
        /// A minute's.
        let limit: Int
        let remaining: Int
    }
}
