@testable import FlexiServer

/// Many accounts in many domains, with about as much of everything as real ones have.
enum Population {
    static let domains = 100
    static let accountsOfADomain = 100

    /// Domain `d7.example.org` has `user.1` to `user.100`; statistics of the tables are up to date afterwards.
    static func fill(_ owner: DatabaseOwner) async throws {
        for statement in self.statements { try await owner.run(statement) }
    }

    private static let statements = [
        "INSERT INTO flexi.domains (name) SELECT 'd' || n || '.example.org' FROM generate_series(1, \(domains)) AS n",
        """
        INSERT INTO flexi.accounts (domain_id, username, activated, phone, email, display_name, dtmf_protocol, creation_time)
        SELECT domain.id, 'user.' || n, n % 10 <> 0, CASE WHEN n % 3 = 0 THEN '+336' || to_char(n, 'FM00000000') END,
            CASE WHEN n % 2 = 0 THEN 'user.' || n || '@' || name END, 'User ' || n, CASE WHEN n % 5 = 0 THEN 'sipinfo' END,
            timestamptz '2026-09-24 12:00+00' - n * interval '1 day'
        FROM flexi.domains AS domain, generate_series(1, \(accountsOfADomain)) AS n
        """,
        """
        INSERT INTO flexi.passwords (account_id, algorithm, realm, ha1)
        SELECT account.id, 'SHA-256', domain.name, encode(sha256(account.username::bytea), 'hex')
        FROM flexi.accounts AS account JOIN flexi.domains AS domain ON domain.id = account.domain_id
        """,
        """
        INSERT INTO flexi.admins (account_id, scope)
        SELECT id, 'domain' FROM flexi.accounts WHERE username = 'user.1'
        """,
        """
        INSERT INTO flexi.api_keys (account_id, key_hash)
        SELECT id, sha256(('key' || id)::bytea) FROM flexi.accounts WHERE id % 4 = 0
        """,
        """
        INSERT INTO flexi.auth_tokens (token_hash, account_id, expires_at)
        SELECT sha256(('auth' || id)::bytea), CASE WHEN id % 2 = 0 THEN id END, now() + id * interval '1 second'
        FROM flexi.accounts WHERE id % 15 = 0
        """,
        """
        INSERT INTO flexi.account_creation_tokens (domain_id, token_hash, account_id, used_at)
        SELECT domain_id, sha256(('creation' || id)::bytea), id, now() FROM flexi.accounts WHERE id % 15 = 1
        """,
        """
        INSERT INTO flexi.activation_codes (account_id, purpose, code_hash, sealed_code, expires_at)
        SELECT id, 'email', sha256(('code' || id)::bytea), '', now() + id * interval '1 minute' FROM flexi.accounts WHERE NOT activated
        """,
        """
        INSERT INTO flexi.provisioning_tokens (account_id, token_hash, sealed_token)
        SELECT id, sha256(('provisioning' || id)::bytea), '' FROM flexi.accounts WHERE id % 5 = 0
        """,
        """
        INSERT INTO flexi.email_changes (account_id, new_email, code_hash, expires_at)
        SELECT id, 'new.' || id || '@example.org', sha256(('email' || id)::bytea), now() + id * interval '1 minute'
        FROM flexi.accounts WHERE id % 15 = 2
        """,
        """
        INSERT INTO flexi.phone_changes (account_id, new_phone, code_hash, expires_at)
        SELECT id, '+3370' || to_char(id, 'FM00000000'), sha256(('phone' || id)::bytea), now() + id * interval '1 minute'
        FROM flexi.accounts WHERE id % 15 = 3
        """,
        """
        INSERT INTO flexi.contacts (domain_id, account_id, contact_id)
        SELECT domain_id, id, id + step FROM flexi.accounts, generate_series(1, 3) AS step
        WHERE id + step <= (SELECT max(id) FROM flexi.accounts)
        """,
        """
        INSERT INTO flexi.account_type_assignments (domain_id, account_id, type_id)
        SELECT account.domain_id, account.id, min(type.id)
        FROM flexi.accounts AS account JOIN flexi.account_types AS type ON type.domain_id = account.domain_id
        WHERE account.id % 4 = 0 GROUP BY 1, 2
        """,
        """
        INSERT INTO flexi.account_actions (domain_id, account_id, key, code)
        SELECT domain_id, id, 'open', '1' FROM flexi.accounts WHERE dtmf_protocol IS NOT NULL
        """,
        """
        INSERT INTO flexi.account_tombstones (domain_id, username)
        SELECT domain_id, 'gone.' || id FROM flexi.accounts WHERE id % 15 = 4
        """,
        """
        INSERT INTO flexi.outbox (domain_id, account_id, channel, sealed_payload, idempotency_key)
        SELECT domain_id, id, 'mail', '', 'key ' || id FROM flexi.accounts WHERE id % 15 = 5
        """,
        """
        INSERT INTO flexi.digest_nonces (nonce, nc, expires_at)
        SELECT sha256(('nonce' || id)::bytea), 1, now() + id * interval '1 minute' FROM flexi.accounts WHERE id % 10 = 0
        """,
        """
        INSERT INTO flexi.sms_budgets (day, subject_hash, used)
        SELECT date '2026-09-24' - (id % 30)::integer, sha256(('budget' || id)::bytea), 1 FROM flexi.accounts WHERE id % 10 = 0
        """,
        "VACUUM ANALYZE",
    ]
}
