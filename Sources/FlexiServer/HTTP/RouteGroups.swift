import Hummingbird

/// Every kind of access that a route can have. `open`, `account` and `admin` lie under `/api`, the others at the root.
struct RouteGroups {
    let open: RouteGroup<PublicContext>
    let account: RouteGroup<AccountContext>
    let admin: RouteGroup<AdminContext>
    let root: RouteGroup<PublicContext>
    let rootAccount: RouteGroup<AccountContext>

    init(router: Router<PublicContext>, authenticator: AccountAuthenticator) {
        let authenticated = router.group("api").add(middleware: authenticator).group(context: AccountContext.self)
        self.open = RouteGroup(router.group("api"))
        self.account = RouteGroup(authenticated)
        self.admin = RouteGroup(authenticated.group(context: AdminContext.self))
        self.root = RouteGroup(router.group())
        self.rootAccount = RouteGroup(
            router.group().add(middleware: authenticator).group(context: AccountContext.self))
    }
}
