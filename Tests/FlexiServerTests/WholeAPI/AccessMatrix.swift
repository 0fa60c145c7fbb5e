import Testing

@testable import FlexiServer

/// What each caller is answered on each route, where many domains are served, messages can be sent, and everything that the
/// route is about is there, but for changes that wait for a code, and for programs beside the server.
///
/// The columns, in this order:
///
/// - `none`: no `From`, no credentials
/// - `unkn`: `From` names nobody
/// - `inac`: an account that is not active, with its right password
/// - `pass`: a wrong password
/// - `key`: an API key that has expired
/// - `cook`: an expired key in a cookie, and a good Digest answer: a user
/// - `repl`: a good Digest answer whose nonce count was used already
/// - `user`: an account that has the contact in question on its list
/// - `othr`: one that has not
/// - `admn`: an administrator of the domain
/// - `forn`: an administrator of another domain
/// - `supr`: a super administrator
enum AccessMatrix {
    static let text = """
        METHOD ROUTE                                          none unkn inac pass key  cook repl user othr admn forn supr
        GET    /healthz                                       200  200  200  200  200  200  200  200  200  200  200  200
        GET    /readyz                                        200  200  200  200  200  200  200  200  200  200  200  200
        GET    /api/openapi.yaml                              200  200  200  200  200  200  200  200  200  200  200  200
        GET    /api/ping                                      200  200  200  200  200  200  200  200  200  200  200  200
        GET    /api/accounts/{account}/info                   200  200  200  200  200  200  200  200  200  200  200  200
        POST   /api/accounts/auth_token                       201  201  201  201  201  201  201  201  201  201  201  201
        GET    /api/accounts/me/api_key/{auth_token}          200  200  200  200  200  200  200  200  200  200  200  200
        POST   /api/accounts/me/api_key/{auth_token}          200  200  200  200  200  200  200  200  200  200  200  200
        POST   /api/accounts/with-account-creation-token      200  200  200  200  200  200  200  200  200  200  200  200
        POST   /api/accounts/with-token                       200  200  200  200  200  200  200  200  200  200  200  200
        POST   /api/account_creation_tokens/send-by-push      503  503  503  503  503  503  503  503  503  503  503  503
        POST   /api/tokens                                    503  503  503  503  503  503  503  503  503  503  503  503
        POST   /api/accounts/{account}/activate/email         200  200  200  200  200  200  200  200  200  200  200  200
        POST   /api/accounts/{account}/activate/phone         200  200  200  200  200  200  200  200  200  200  200  200
        GET    /email/{code}                                 200  200  200  200  200  200  200  200  200  200  200  200
        POST   /email/{code}                                 200  200  200  200  200  200  200  200  200  200  200  200
        GET    /provisioning                                  200  200  200  200  200  200  200  200  200  200  200  200
        GET    /provisioning/{provisioning_token}             200  200  200  200  200  200  200  200  200  200  200  200
        GET    /provisioning/auth_token/{auth_token}          200  200  200  200  200  200  200  200  200  200  200  200
        GET    /provisioning/qrcode/{provisioning_token}      200  200  200  200  200  200  200  200  200  200  200  200

        GET    /provisioning/me                               422  401  401  401  401  200  401  200  200  200  200  200
        GET    /contacts/vcard                                422  401  401  401  401  200  401  200  200  200  200  200
        GET    /contacts/vcard/{contact}                      422  401  401  401  401  200  401  200  404  404  404  404
        GET    /api/accounts/me                               422  401  401  401  401  200  401  200  200  200  200  200
        DELETE /api/accounts/me                               422  401  401  401  401  200  401  200  200  200  200  200
        POST   /api/accounts/me/password                      422  401  401  401  401  200  401  200  200  200  200  200
        POST   /api/accounts/me/email/request                 422  401  401  401  401  200  401  200  200  200  200  200
        POST   /api/accounts/me/email                         422  401  401  401  401  404  401  404  404  404  404  404
        POST   /api/accounts/me/phone/request                 422  401  401  401  401  200  401  200  200  200  200  200
        POST   /api/accounts/me/phone                         422  401  401  401  401  404  401  404  404  404  404  404
        GET    /api/accounts/me/api_key                       422  401  401  401  401  200  401  200  200  200  200  200
        POST   /api/accounts/me/api_key                       422  401  401  401  401  200  401  200  200  200  200  200
        GET    /api/accounts/me/contacts                      422  401  401  401  401  200  401  200  200  200  200  200
        GET    /api/accounts/me/contacts/{contact}            422  401  401  401  401  200  401  200  404  404  404  404
        GET    /api/accounts/auth_token/{auth_token}/attach   422  401  401  401  401  200  401  200  200  200  200  200
        POST   /api/accounts/auth_token/{auth_token}/attach   422  401  401  401  401  200  401  200  200  200  200  200
        GET    /api/accounts/me/devices                       422  401  401  401  401  503  401  503  503  503  503  503
        DELETE /api/accounts/me/devices/{uuid}                422  401  401  401  401  503  401  503  503  503  503  503

        GET    /api/accounts                                  422  401  401  401  401  403  401  403  403  200  200  200
        POST   /api/accounts                                  422  401  401  401  401  403  401  403  403  200  200  200
        POST   /api/account_creation_tokens                   422  401  401  401  401  403  401  403  403  201  201  201
        GET    /api/account_types                             422  401  401  401  401  403  401  403  403  200  200  200
        POST   /api/account_types                             422  401  401  401  401  403  401  403  403  201  201  201
        GET    /api/statistics/day                            422  401  401  401  401  403  401  403  403  200  200  200
        GET    /api/statistics/week                           422  401  401  401  401  403  401  403  403  200  200  200
        GET    /api/statistics/month                          422  401  401  401  401  403  401  403  403  200  200  200
        GET    /api/statistic/day                             422  401  401  401  401  403  401  403  403  200  200  200
        GET    /api/statistic/week                            422  401  401  401  401  403  401  403  403  200  200  200
        GET    /api/statistic/month                           422  401  401  401  401  403  401  403  403  200  200  200
        POST   /api/messages                                  422  401  401  401  401  403  401  403  403  503  503  503

        GET    /api/accounts/{account}                        422  401  401  401  401  403  401  403  403  200  404  200
        PATCH  /api/accounts/{account}                        422  401  401  401  401  403  401  403  403  200  404  200
        PUT    /api/accounts/{account}                        422  401  401  401  401  403  401  403  403  200  404  200
        DELETE /api/accounts/{account}                        422  401  401  401  401  403  401  403  403  200  404  200
        GET    /api/accounts/{account}/search                 422  401  401  401  401  403  401  403  403  200  404  200
        GET    /api/accounts/{account}/activate               422  401  401  401  401  403  401  403  403  200  404  200
        POST   /api/accounts/{account}/activate               422  401  401  401  401  403  401  403  403  200  404  200
        GET    /api/accounts/{account}/deactivate             422  401  401  401  401  403  401  403  403  200  404  200
        POST   /api/accounts/{account}/deactivate             422  401  401  401  401  403  401  403  403  200  404  200
        GET    /api/accounts/{account}/provision              422  401  401  401  401  403  401  403  403  200  404  200
        POST   /api/accounts/{account}/provision              422  401  401  401  401  403  401  403  403  200  404  200
        GET    /api/accounts/{account}/contacts               422  401  401  401  401  403  401  403  403  200  404  200
        GET    /api/accounts/{account}/contacts/{contact}     422  401  401  401  401  403  401  403  403  200  404  200
        POST   /api/accounts/{account}/contacts/{contact}     422  401  401  401  401  403  401  403  403  200  404  200
        DELETE /api/accounts/{account}/contacts/{contact}     422  401  401  401  401  403  401  403  403  200  404  200
        POST   /api/accounts/{account}/types/{type}           422  401  401  401  401  403  401  403  403  200  404  200
        DELETE /api/accounts/{account}/types/{type}           422  401  401  401  401  403  401  403  403  200  404  200
        GET    /api/accounts/{account}/actions                422  401  401  401  401  403  401  403  403  200  404  200
        POST   /api/accounts/{account}/actions                422  401  401  401  401  403  401  403  403  201  404  201
        GET    /api/accounts/{account}/actions/{action}       422  401  401  401  401  403  401  403  403  200  404  200
        PUT    /api/accounts/{account}/actions/{action}       422  401  401  401  401  403  401  403  403  200  404  200
        DELETE /api/accounts/{account}/actions/{action}       422  401  401  401  401  403  401  403  403  200  404  200
        GET    /api/account_types/{type}                      422  401  401  401  401  403  401  403  403  200  404  200
        PUT    /api/account_types/{type}                      422  401  401  401  401  403  401  403  403  200  404  200
        DELETE /api/account_types/{type}                      422  401  401  401  401  403  401  403  403  200  404  200
        """

    struct Row: Sendable {
        let route: ServedRoute
        /// One for each `Caller`.
        let statuses: [Int]

        func status(_ caller: Caller) throws -> Int {
            try #require(Caller.allCases.firstIndex(of: caller).map { self.statuses[$0] })
        }

        /// Administrators only, as far as the expectations say.
        var isAdministration: Bool { (try? self.status(.user)) == 403 }

        /// Another program does its work, and is not there.
        var needsNeighbour: Bool { self.statuses.contains(503) }
    }

    static let rows: [Row] = text.split(separator: "\n").dropFirst().map { line in
        let words = line.split(separator: " ")
        return Row(
            route: ServedRoute(method: String(words[0]), path: String(words[1])),
            statuses: words.dropFirst(2).compactMap { Int($0) })
    }

    enum Caller: CaseIterable, Sendable {
        case noFrom
        case unknownFrom
        case inactive
        case wrongPassword
        case staleKey
        case staleCookie
        case replayedNonce
        case user
        case otherUser
        case domainAdmin
        case foreignAdmin
        case superAdmin
    }
}
