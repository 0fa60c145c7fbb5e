import Foundation
import OpenSSLCrypto
import PGClient
import Testing

@testable import FlexiServer

/// An account that waits for its activation and has something of everything, so that every route finds what it needs.
struct FullAccount: Sendable {
    let id: Int64
    let address: String
    let action: Int64
    /// A type of the domain that the account has, and one that it does not have.
    let type: Int64
    let otherType: Int64
    /// Active accounts of the domain: one on the contact list, and one that is not.
    let contact: Contact
    let stranger: Contact
    let tokens: Tokens

    struct Contact: Sendable {
        let id: Int64
        let address: String
    }

    struct Tokens: Sendable {
        let creation = SecureRandom.token(length: 13)
        let activation = SecureRandom.token(length: 13)
        let provisioning = SecureRandom.token(length: 13)
        /// Attached to the contact, and to nobody.
        let attached = SecureRandom.token(length: 32)
        let free = SecureRandom.token(length: 32)
    }

    static let pin = "4711"

    /// `tag` makes every name its own.
    static func make(_ tag: String, domain: String = "sip.example.org", on server: TestServer) async throws -> Self {
        let name = try #require(DomainName(domain))
        let registered = try await DomainRepository(server.services.database).register(name)
        let tokens = Tokens()
        let row = try await server.services.database.query(
            Self.insertion(tag, in: registered.id, tokens: tokens, at: server.clock.now))[0]
        let id: Int64 = try row.decode("id")
        let pin = try #require(PIN(Self.pin)).hash(for: .activation, of: id, key: server.services.keys.code)
        let provisioning = SealedColumn.provisioningToken.seal(
            Secret(tokens.provisioning), row: id, with: server.services.keys.seal)
        let activation = SealedColumn.confirmationKey.seal(
            Secret(tokens.activation), row: id, with: server.services.keys.seal)
        try await server.services.database.execute(
            """
            WITH provisioning AS (
                INSERT INTO flexi.provisioning_tokens (account_id, token_hash, sealed_token)
                VALUES (\(id), \(SHA256.hash(tokens.provisioning)), \(provisioning))
            )
            INSERT INTO flexi.activation_codes (account_id, purpose, code_hash, sealed_code)
            VALUES (\(id), 'email', \(SHA256.hash(tokens.activation)), \(activation)), (\(id), 'phone', \(pin), NULL)
            """
        )
        return try Self(
            id: id, address: "target.\(tag)@\(domain)", action: row.decode("action"), type: row.decode("type"),
            otherType: row.decode("other_type"),
            contact: Contact(id: row.decode("contact"), address: "contact.\(tag)@\(domain)"),
            stranger: Contact(id: row.decode("stranger"), address: "stranger.\(tag)@\(domain)"), tokens: tokens)
    }

    private static func insertion(
        _ tag: String, in domain: RegisteredDomain.ID, tokens: Tokens, at now: Date
    ) -> PGQuery {
        """
        WITH target AS (
            INSERT INTO flexi.accounts (domain_id, username, dtmf_protocol) VALUES (\(domain), \("target." + tag), 'sipinfo')
            RETURNING id
        ), contact AS (
            INSERT INTO flexi.accounts (domain_id, username, activated) VALUES (\(domain), \("contact." + tag), true)
            RETURNING id
        ), stranger AS (
            INSERT INTO flexi.accounts (domain_id, username, activated) VALUES (\(domain), \("stranger." + tag), true)
            RETURNING id
        ), type AS (
            INSERT INTO flexi.account_types (domain_id, key) VALUES (\(domain), \("type-" + tag)) RETURNING id
        ), other_type AS (
            INSERT INTO flexi.account_types (domain_id, key) VALUES (\(domain), \("other-" + tag)) RETURNING id
        ), action AS (
            INSERT INTO flexi.account_actions (domain_id, account_id, key, code)
            SELECT \(domain), id, 'open', '1' FROM target RETURNING id
        ), listed AS (
            INSERT INTO flexi.contacts (domain_id, account_id, contact_id)
            SELECT \(domain), target.id, contact.id FROM target, contact
        ), typed AS (
            INSERT INTO flexi.account_type_assignments (domain_id, account_id, type_id)
            SELECT \(domain), target.id, type.id FROM target, type
        ), creation AS (
            INSERT INTO flexi.account_creation_tokens (domain_id, token_hash)
            VALUES (\(domain), \(SHA256.hash(tokens.creation)))
        ), auth AS (
            INSERT INTO flexi.auth_tokens (token_hash, account_id, expires_at)
            SELECT \(SHA256.hash(tokens.attached)), id, \(now.addingTimeInterval(300)) FROM contact
            UNION ALL SELECT \(SHA256.hash(tokens.free)), NULL, \(now.addingTimeInterval(300))
        )
        SELECT target.id, contact.id AS contact, stranger.id AS stranger, type.id AS type, other_type.id AS other_type,
            action.id AS action
        FROM target, contact, stranger, type, other_type, action
        """
    }

    // MARK: Requests about it

    /// The path of a request that this account makes possible, `POST …/contacts/{contact}` for one of whom it is none yet.
    func target(_ route: ServedRoute) -> String {
        route.captures.reduce(route.path) { path, name in
            path.replacing("{\(name)}", with: self.value(of: name, in: route))
        }
    }

    func value(of capture: String, in route: ServedRoute) -> String {
        switch capture {
        case "account": Self.namesByAddress(route) ? self.address : String(self.id)
        case "contact":
            if route.path.contains("/me/") || route.path.contains("/vcard/") {
                self.contact.address
            } else {
                String(route.method == "POST" ? self.stranger.id : self.contact.id)
            }
        case "type": String(route.method == "POST" ? self.otherType : self.type)
        case "action": String(self.action)
        case "uuid": "urn:uuid:c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38"
        case "auth_token": route.path.hasSuffix("/attach") ? self.tokens.free : self.tokens.attached
        case "provisioning_token": self.tokens.provisioning
        case "code": self.tokens.activation
        default: "{\(capture)}"
        }
    }

    /// Eight digits, others for another tag.
    private static func digits(of tag: String) -> String {
        String(100_000_000 + tag.utf8.reduce(0) { ($0 * 31 + Int($1)) % 100_000_000 }).suffix(8).description
    }

    /// Whether the segment `account` is an address; it is an id elsewhere.
    static func namesByAddress(_ route: ServedRoute) -> Bool {
        ["/info", "/search", "/activate/email", "/activate/phone"].contains { route.path.hasSuffix($0) }
    }

    /// A body that the route takes, `nil` where it reads none; `tag` makes the names of what is made its own.
    func body(_ route: ServedRoute, _ tag: String) -> String? {
        switch route.description {
        case "POST /api/accounts":
            #"{"username":"made.\#(tag)","password":"wonderland","algorithm":"MD5"}"#
        case "POST /api/accounts/with-account-creation-token", "POST /api/accounts/with-token":
            """
            {"username":"made.\(tag)","password":"wonderland","algorithm":"MD5",\
            "\(route.path.hasSuffix("with-token") ? "token" : "account_creation_token")":"\(self.tokens.creation)"}
            """
        case "POST /api/account_creation_tokens/send-by-push", "POST /api/tokens":
            #"{"pn_provider":"fcm","pn_param":"project","pn_prid":"device-\#(tag)"}"#
        case "POST /api/messages": #"{"to":"sip:somebody@sip.example.org","body":"Hello"}"#
        case "POST /api/accounts/{account}/activate/email": #"{"code":"\#(self.tokens.activation)"}"#
        case "POST /api/accounts/{account}/activate/phone": #"{"code":"\#(Self.pin)"}"#
        case "PATCH /api/accounts/{account}": #"{"display_name":"Somebody"}"#
        case "PUT /api/accounts/{account}": #"{"activated":false}"#
        case "POST /api/accounts/me/email/request": #"{"email":"somebody@example.org"}"#
        case "POST /api/accounts/me/phone/request": #"{"phone":"+3361\#(Self.digits(of: tag))"}"#
        case "POST /api/accounts/me/email": #"{"code":"\#(self.tokens.activation)"}"#
        case "POST /api/accounts/me/phone": #"{"code":"\#(Self.pin)"}"#
        case "POST /api/accounts/me/password":
            #"{"algorithm":"MD5","old_password":"secret!","password":"wonderland"}"#
        case "POST /api/accounts/{account}/actions", "PUT /api/accounts/{account}/actions/{action}":
            #"{"key":"close","code":"2"}"#
        case "POST /api/account_types", "PUT /api/account_types/{type}": #"{"key":"made-\#(tag)"}"#
        default: nil
        }
    }
}
