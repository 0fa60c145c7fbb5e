import PGClient

/// What an account says of the person behind it, and of their phone.
struct AccountProfile: Sendable {
    let email: EmailAddress?
    let phone: PhoneNumber?
    let displayName: String?
    let dtmfProtocol: DTMFProtocol?

    func with(email: EmailAddress) -> AccountProfile {
        AccountProfile(
            email: email, phone: self.phone, displayName: self.displayName, dtmfProtocol: self.dtmfProtocol)
    }

    func with(phone: PhoneNumber) -> AccountProfile {
        AccountProfile(
            email: self.email, phone: phone, displayName: self.displayName, dtmfProtocol: self.dtmfProtocol)
    }
}

/// Reads and writes profiles for changes that must not meet one another.
struct AccountProfileRepository: Sendable {
    /// An account that nobody else changes until the transaction ends.
    struct Locked: Sendable {
        let id: Account.ID
        let username: Username
        let domain: RegisteredDomain
        let isActivated: Bool
        let adminScope: AdminScope?
        let profile: AccountProfile
    }

    private let db: PGTransaction

    init(_ db: PGTransaction) {
        self.db = db
    }

    func lock(_ id: Account.ID, in scope: DomainScope) async throws -> Locked? {
        try await self.db.query(
            """
            SELECT account.username, account.email, account.phone, account.display_name, account.dtmf_protocol,
                account.activated, admin.scope AS admin_scope,
                domain.id, domain.name, domain.realm, domain.registration_open, domain.suspended
            FROM flexi.accounts AS account
            JOIN flexi.domains AS domain ON domain.id = account.domain_id
            LEFT JOIN flexi.admins AS admin ON admin.account_id = account.id
            WHERE account.id = \(id) AND \(scope.condition)
            FOR NO KEY UPDATE OF account
            """
        ).first.map { row in
            guard let username = try Username(row.decode("username", as: String.self)) else {
                throw MalformedRow(column: "username")
            }
            return try Locked(
                id: id, username: username, domain: RegisteredDomain(row), isActivated: row.decode("activated"),
                adminScope: row.decode("admin_scope", as: String?.self).flatMap(AdminScope.init),
                profile: AccountProfile(
                    email: row.decode("email", as: String?.self).flatMap(EmailAddress.init),
                    phone: row.decode("phone", as: String?.self).flatMap(PhoneNumber.init),
                    displayName: row.decode("display_name"),
                    dtmfProtocol: row.decode("dtmf_protocol", as: String?.self).flatMap(DTMFProtocol.init)))
        }
    }

    /// Replaces the profile. What waits for the confirmation of an address or a number is dropped where the profile has another one
    /// from now on.
    ///
    /// Throws `AccountRepository.Conflict` when the number is another account's.
    func update(_ id: Account.ID, to profile: AccountProfile) async throws {
        do {
            try await self.db.execute(
                """
                WITH before AS (
                    SELECT email, phone FROM flexi.accounts WHERE id = \(id)
                ), dropped_email AS (
                    DELETE FROM flexi.email_changes USING before
                    WHERE account_id = \(id) AND before.email IS DISTINCT FROM \(profile.email?.value)
                ), dropped_phone AS (
                    DELETE FROM flexi.phone_changes USING before
                    WHERE account_id = \(id) AND before.phone IS DISTINCT FROM \(profile.phone?.value)
                ), dropped_pin AS (
                    DELETE FROM flexi.activation_codes USING before
                    WHERE account_id = \(id) AND purpose = 'phone' AND before.phone IS DISTINCT FROM \(profile.phone?.value)
                )
                UPDATE flexi.accounts SET email = \(profile.email?.value), phone = \(profile.phone?.value),
                    display_name = \(profile.displayName), dtmf_protocol = \(profile.dtmfProtocol?.rawValue)
                WHERE id = \(id)
                """
            )
        } catch let error as PGError where error.violates("phone_numbers_domain_id_number_key") {
            throw AccountRepository.Conflict.phoneTaken
        }
    }
}
