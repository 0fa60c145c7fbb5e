import Hummingbird

/// Every kind of access that a route can have. `open`, `account` and `admin` lie under `/api`, the others at the root. All but
/// `probe`, for those who watch the server, are counted by the rate limits.
struct RouteGroups {
    let open: RouteGroup<PublicContext>
    let account: RouteGroup<AccountContext>
    let admin: RouteGroup<AdminContext>
    let probe: RouteGroup<PublicContext>
    let root: RouteGroup<PublicContext>
    let rootAccount: RouteGroup<AccountContext>

    init(router: Router<PublicContext>, services: Services) {
        let authenticator = AccountAuthenticator(services)
        let limits = RateLimitMiddleware(services)
        let authenticated = router.group("api").add(middleware: authenticator).group(context: AccountContext.self)
        self.open = RouteGroup(router.group("api").add(middleware: limits))
        self.account = RouteGroup(authenticated)
        self.admin = RouteGroup(authenticated.group(context: AdminContext.self))
        self.probe = RouteGroup(router.group())
        self.root = RouteGroup(router.group().add(middleware: limits))
        self.rootAccount = RouteGroup(
            router.group().add(middleware: authenticator).group(context: AccountContext.self))
    }
}
