import HTTPTypes
import Hummingbird
import NIOCore
import OpenSSLCrypto

/// | Method            | Path                                  | Access  |
/// |-------------------|---------------------------------------|---------|
/// | GET               | accounts/me/contacts                  | account |
/// | GET               | accounts/me/contacts/{sip}            | account |
/// | GET               | /contacts/vcard                       | account |
/// | GET               | /contacts/vcard/{sip}                 | account |
/// | GET               | accounts/{id}/contacts                | admin   |
/// | GET, POST, DELETE | accounts/{id}/contacts/{contact_id}   | admin   |
struct ContactRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.account.get("accounts/me/contacts", use: self.listOwn)
        groups.account.get("accounts/me/contacts/{contact}", use: self.showOwn)
        groups.rootAccount.get("contacts/vcard", use: self.listOwnCards)
        groups.rootAccount.get("contacts/vcard/{contact}", use: self.showOwnCard)
        groups.admin.get("accounts/{account}/contacts", use: self.list)
        groups.admin.get("accounts/{account}/contacts/{contact}", use: self.show)
        groups.admin.post("accounts/{account}/contacts/{contact}", use: self.attach)
        groups.admin.delete("accounts/{account}/contacts/{contact}", use: self.detach)
    }

    private var contacts: ContactRepository { ContactRepository(self.services.database) }

    private var accounts: AccountRepository {
        AccountRepository(self.services.database, defaultRealm: self.services.configuration.accountRealm)
    }

    // MARK: The caller's own

    func listOwn(_: Request, _ context: AccountContext) async throws -> Response {
        try await .json(self.ownContacts(context))
    }

    func showOwn(_: Request, _ context: AccountContext) async throws -> Response {
        try await .json(self.ownContact(context))
    }

    func listOwnCards(_ request: Request, _ context: AccountContext) async throws -> Response {
        try await self.cards(of: self.ownContacts(context), for: request)
    }

    func showOwnCard(_ request: Request, _ context: AccountContext) async throws -> Response {
        try await self.cards(of: [self.ownContact(context)], for: request)
    }

    /// Of every domain: whoever put a contact on the list was allowed to.
    private func ownContacts(_ context: AccountContext) async throws -> [Contact] {
        try await self.contacts.list(of: context.account.id, in: .all)
    }

    private func ownContact(_ context: AccountContext) async throws -> Contact {
        let address = try context.sipAddress("contact")
        guard let contact = try await self.contacts.find(address, of: context.account.id, in: .all) else {
            throw APIError.notFound()
        }
        return contact
    }

    /// The cards one after the other; 304 where the client has the same already.
    private func cards(of contacts: [Contact], for request: Request) -> Response {
        let text = contacts.map { VCard($0).text }.joined()
        let tag = "\"\(Hex.encode(SHA256.hash(text).prefix(16)))\""
        let headers: HTTPFields = [.eTag: tag, .cacheControl: "private, no-cache"]
        if Self.isKnown(tag, to: request) { return Response(status: .notModified, headers: headers) }
        var response = Response(contentType: "text/vcard; charset=utf-8", body: ByteBuffer(string: text))
        response.headers.append(contentsOf: headers)
        return response
    }

    /// RFC 9110, 13.1.2: tags are compared weakly.
    private static func isKnown(_ tag: String, to request: Request) -> Bool {
        request.headers[values: .ifNoneMatch].flatMap { $0.split(separator: ",") }.map(\.trimmed).contains { known in
            known == "*" || known == tag || known == "W/\(tag)"
        }
    }

    // MARK: Administration, whose contacts are whole accounts

    func list(_: Request, _ context: AdminContext) async throws -> Response {
        let account = try await context.administeredAccount(self.services)
        let contacts = try await self.contacts.list(of: account.id, in: context.scope)
        return try await .json(self.accounts.find(contacts.map(\.id), in: context.scope))
    }

    func show(_: Request, _ context: AdminContext) async throws -> Response {
        let account = try await context.administeredAccount(self.services)
        let contact = try Account.ID(rawValue: context.id("contact"))
        guard try await self.contacts.find(contact, of: account.id, in: context.scope) != nil,
            let found = try await self.accounts.find(contact, in: context.scope)
        else { throw APIError.notFound() }
        return .json(found)
    }

    func attach(_: Request, _ context: AdminContext) async throws -> Response {
        let account = try await context.changeableAccount(self.services)
        let contact = try Account.ID(rawValue: context.id("contact"))
        do {
            let now = self.services.now()
            guard try await self.contacts.attach(contact, to: account.id, in: context.scope, at: now) else {
                throw APIError.notFound()
            }
            return .done
        } catch ContactRepository.Conflict.alreadyAttached {
            throw APIError.forbidden("The contact is on the list already.")
        }
    }

    func detach(_: Request, _ context: AdminContext) async throws -> Response {
        let account = try await context.changeableAccount(self.services)
        let contact = try Account.ID(rawValue: context.id("contact"))
        do {
            guard try await self.contacts.detach(contact, from: account.id, in: context.scope) else {
                throw APIError.notFound()
            }
            return .done
        } catch ContactRepository.Conflict.notAttached {
            throw APIError.forbidden("The contact is not on the list.")
        }
    }
}
