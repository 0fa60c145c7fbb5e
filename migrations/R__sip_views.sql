-- What SIP servers read, and all that they read: active accounts of domains that are not suspended, one row for each hash, text columns,
-- no clear text. The names are those of the servers' default configurations. A row without the hash that a server asks for is left out:
-- an empty hash must never authenticate anybody. The reading role is `flexi_sip` unless `migrate --set sip_role=NAME` says otherwise.
--
-- Views are replaced in place, which keeps grants and what a DBA built on them. PostgreSQL lets a replaced view gain columns only; to
-- change or drop one, a numbered migration drops it first.

-- Flexisip: soci-password-request, soci-user-with-phone-request and soci-users-with-phones-request as they come.
-- login and password serve the one-table request of Flexisip 2.1 and before.
CREATE OR REPLACE VIEW sip.accounts WITH (security_barrier) AS
SELECT account.id, account.username, account.username AS login, domain.name AS domain, account.phone, account.activated, md5.ha1 AS password
FROM flexi.accounts AS account
JOIN flexi.domains AS domain ON domain.id = account.domain_id
LEFT JOIN flexi.passwords AS md5 ON md5.account_id = account.id AND md5.algorithm = 'MD5'
WHERE account.activated AND NOT domain.suspended;

CREATE OR REPLACE VIEW sip.passwords WITH (security_barrier) AS
SELECT password.account_id, password.ha1 AS password, password.algorithm
FROM flexi.passwords AS password
JOIN flexi.accounts AS account ON account.id = password.account_id
JOIN flexi.domains AS domain ON domain.id = account.domain_id
WHERE account.activated AND NOT domain.suspended;

-- For servers that look an account up by the digest realm, where that is not the domain's name.
CREATE OR REPLACE VIEW sip.realm_passwords WITH (security_barrier) AS
SELECT account.username, domain.name AS domain, password.realm, password.ha1 AS password, password.algorithm
FROM flexi.accounts AS account
JOIN flexi.domains AS domain ON domain.id = account.domain_id
JOIN flexi.passwords AS password ON password.account_id = account.id
WHERE account.activated AND NOT domain.suspended;

-- Kamailio auth_db: password_column=ha1, password_column_2=ha1b, use_domain=1, version_table=0.
CREATE OR REPLACE VIEW sip.subscriber WITH (security_barrier) AS
SELECT
    account.id, account.username, domain.name AS domain, ''::text AS password, ''::text AS email_address,
    password.ha1, coalesce(password.ha1b, '') AS ha1b, NULL::text AS rpid
FROM flexi.accounts AS account
JOIN flexi.domains AS domain ON domain.id = account.domain_id
JOIN flexi.passwords AS password ON password.account_id = account.id AND password.algorithm = 'MD5'
WHERE account.activated AND NOT domain.suspended;

-- The same columns for a Kamailio whose auth module is set to SHA-256.
CREATE OR REPLACE VIEW sip.subscriber_sha256 WITH (security_barrier) AS
SELECT
    account.id, account.username, domain.name AS domain, ''::text AS password, ''::text AS email_address,
    password.ha1, ''::text AS ha1b, NULL::text AS rpid
FROM flexi.accounts AS account
JOIN flexi.domains AS domain ON domain.id = account.domain_id
JOIN flexi.passwords AS password ON password.account_id = account.id AND password.algorithm = 'SHA-256'
WHERE account.activated AND NOT domain.suspended;

-- OpenSIPS 3.2 and later reads the column of the algorithm in use (RFC 8760). An account without one of the hashes has in its place a
-- value that no digest can be made from.
CREATE OR REPLACE VIEW sip.subscriber_opensips WITH (security_barrier) AS
SELECT
    account.id, account.username, domain.name AS domain, ''::text AS password, ''::text AS email_address,
    coalesce(md5.ha1, '-') AS ha1, coalesce(sha256.ha1, '-') AS ha1_sha256, coalesce(sha256.ha1_sha512t256, '-') AS ha1_sha512t256,
    NULL::text AS rpid
FROM flexi.accounts AS account
JOIN flexi.domains AS domain ON domain.id = account.domain_id
LEFT JOIN flexi.passwords AS md5 ON md5.account_id = account.id AND md5.algorithm = 'MD5'
LEFT JOIN flexi.passwords AS sha256 ON sha256.account_id = account.id AND sha256.algorithm = 'SHA-256'
WHERE account.activated AND NOT domain.suspended AND (md5.ha1 IS NOT NULL OR sha256.ha1 IS NOT NULL);

-- Domain modules of Kamailio (domain, did) and OpenSIPS (domain, attrs, accept_subdomain, last_modified).
CREATE OR REPLACE VIEW sip.domain WITH (security_barrier) AS
SELECT id, name AS domain, name AS did, NULL::text AS attrs, 0 AS accept_subdomain, created_at::timestamp AS last_modified
FROM flexi.domains
WHERE NOT suspended;

-- Kamailio's domain module reads this one too.
CREATE OR REPLACE VIEW sip.domain_attrs WITH (security_barrier) AS
SELECT id, name AS did, ''::text AS name, 0 AS type, ''::text AS value, created_at::timestamp AS last_modified
FROM flexi.domains
WHERE false;

-- alias_db: a phone number stands for its account.
CREATE OR REPLACE VIEW sip.dbaliases WITH (security_barrier) AS
SELECT account.id, account.phone AS alias_username, domain.name AS alias_domain, account.username, domain.name AS domain
FROM flexi.accounts AS account
JOIN flexi.domains AS domain ON domain.id = account.domain_id
WHERE account.activated AND NOT domain.suspended AND account.phone IS NOT NULL;

CREATE OR REPLACE VIEW sip.uri WITH (security_barrier) AS
SELECT account.id, account.username, domain.name AS domain, account.username AS uri_user, account.creation_time::timestamp AS last_modified
FROM flexi.accounts AS account
JOIN flexi.domains AS domain ON domain.id = account.domain_id
WHERE account.activated AND NOT domain.suspended;

-- Table versions, for a Kamailio that insists on checking them.
CREATE OR REPLACE VIEW sip.version WITH (security_barrier) AS
SELECT *
FROM (
    VALUES
        ('subscriber', 7), ('subscriber_sha256', 7), ('domain', 2), ('domain_attrs', 1), ('dbaliases', 1), ('uri', 1)
) AS known (table_name, table_version);

DO $$
DECLARE
    sip_role text := coalesce(nullif(current_setting('migrate.sip_role', true), ''), 'flexi_sip');
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = sip_role) THEN
        RAISE EXCEPTION 'the role "%" does not exist', sip_role
            USING HINT = 'Run scripts/roles.sql in this database first, or name another role with --set sip_role=NAME.';
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA sip TO %I', sip_role);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA sip TO %I', sip_role);
END
$$;
