/// The domains whose rows a caller may see. Every repository method that touches tenant data takes one, so a query without it does not
/// compile.
enum DomainScope: Hashable, Sendable {
    /// Every registered domain: a super administrator's, and the public's where many domains are served.
    case all
    case only(DomainName)

    func contains(_ domain: DomainName) -> Bool {
        switch self {
        case .all: true
        case .only(let own): own == domain
        }
    }
}
