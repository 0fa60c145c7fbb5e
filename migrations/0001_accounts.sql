-- Domains, accounts and their SIP credentials.
--
-- Tables that a tenant's administrator lists or filters carry domain_id themselves; those that are only ever reached through one
-- account (passwords, keys, codes) do not. Names and domains are stored in lower case and compared byte by byte (COLLATE "C").
--
-- The application role gets its rights by default privileges. It is `flexi_app` unless `migrate --set app_role=NAME` says otherwise;
-- scripts/roles.sql makes the roles.

CREATE SCHEMA flexi;
-- Views for SIP servers: R__sip_views.sql.
CREATE SCHEMA sip;

DO $$
DECLARE
    app_role text := coalesce(nullif(current_setting('migrate.app_role', true), ''), 'flexi_app');
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = app_role) THEN
        RAISE EXCEPTION 'the role "%" does not exist', app_role
            USING HINT = 'Run scripts/roles.sql in this database first, or name another role with --set app_role=NAME.';
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA flexi TO %I', app_role);
    EXECUTE format(
        'ALTER DEFAULT PRIVILEGES IN SCHEMA flexi GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', app_role);
    -- The server reads the ledger before it starts, and can never write it.
    EXECUTE format('GRANT USAGE ON SCHEMA migrate TO %I', app_role);
    EXECUTE format('GRANT SELECT ON migrate.ledger TO %I', app_role);
END
$$;

CREATE TABLE flexi.domains (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT domains_pkey PRIMARY KEY,
    name text COLLATE "C" NOT NULL CONSTRAINT domains_name_key UNIQUE,
    -- NULL follows the server's ACCOUNT_REALM, and the domain's own name where that is unset.
    realm text,
    registration_open boolean NOT NULL DEFAULT true,
    suspended boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT domains_name_check CHECK (name ~ '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$' AND length(name) <= 253),
    CONSTRAINT domains_realm_check CHECK (realm <> '' AND length(realm) <= 253)
);

CREATE TABLE flexi.accounts (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT accounts_pkey PRIMARY KEY,
    domain_id bigint NOT NULL CONSTRAINT accounts_domain_id_fkey REFERENCES flexi.domains,
    username text COLLATE "C" NOT NULL,
    -- E.164 with its leading plus sign.
    phone text COLLATE "C",
    email text,
    display_name text,
    dtmf_protocol text,
    activated boolean NOT NULL DEFAULT false,
    -- Deactivated by an administrator: codes and provisioning no longer activate it.
    blocked boolean NOT NULL DEFAULT false,
    ip_address inet,
    user_agent text,
    creation_time timestamptz NOT NULL DEFAULT now(),
    -- A user name is looked up with its domain here and, by SIP servers that know numbers only, without it.
    CONSTRAINT accounts_username_domain_id_key UNIQUE (username, domain_id),
    -- Serves the pages of one domain, and the foreign keys that keep a row in its account's domain.
    CONSTRAINT accounts_domain_id_id_key UNIQUE (domain_id, id),
    CONSTRAINT accounts_username_check CHECK (username ~ '^[a-z0-9._+-]{1,64}$'),
    CONSTRAINT accounts_phone_check CHECK (phone ~ '^\+[1-9][0-9]{1,14}$'),
    CONSTRAINT accounts_email_check CHECK (length(email) BETWEEN 3 AND 254),
    CONSTRAINT accounts_display_name_check CHECK (length(display_name) BETWEEN 1 AND 255),
    CONSTRAINT accounts_dtmf_protocol_check CHECK (dtmf_protocol IN ('sipinfo', 'rfc2833', 'sipmessage')),
    CONSTRAINT accounts_user_agent_check CHECK (length(user_agent) <= 256),
    CONSTRAINT accounts_blocked_check CHECK (NOT (activated AND blocked))
);

CREATE INDEX accounts_phone_idx ON flexi.accounts (phone) WHERE phone IS NOT NULL;
CREATE INDEX accounts_email_idx ON flexi.accounts (lower(email)) WHERE email IS NOT NULL;
CREATE INDEX accounts_domain_id_creation_time_idx ON flexi.accounts (domain_id, creation_time) INCLUDE (activated, phone);
CREATE INDEX accounts_creation_time_idx ON flexi.accounts (creation_time) INCLUDE (activated, phone);

-- Every number that means an account in its domain, whether as its phone or as its user name: one number, one account. Kept by the
-- trigger below, so that two requests that race for a number cannot both win.
CREATE TABLE flexi.phone_numbers (
    domain_id bigint NOT NULL,
    number text COLLATE "C" NOT NULL,
    account_id bigint NOT NULL,
    CONSTRAINT phone_numbers_domain_id_number_key PRIMARY KEY (domain_id, number),
    CONSTRAINT phone_numbers_domain_id_account_id_fkey
        FOREIGN KEY (domain_id, account_id) REFERENCES flexi.accounts (domain_id, id) ON DELETE CASCADE
);

CREATE INDEX phone_numbers_account_id_idx ON flexi.phone_numbers (account_id);

CREATE FUNCTION flexi.claim_phone_numbers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    claimed text[] := array_remove(ARRAY[NEW.phone, CASE WHEN NEW.username LIKE '+%' THEN NEW.username END], NULL);
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM flexi.phone_numbers WHERE account_id = NEW.id AND number <> ALL (claimed);
    END IF;
    INSERT INTO flexi.phone_numbers (domain_id, number, account_id)
    SELECT DISTINCT NEW.domain_id, number, NEW.id
    FROM unnest(claimed) AS number
    WHERE NOT EXISTS (SELECT FROM flexi.phone_numbers AS held WHERE held.account_id = NEW.id AND held.number = number.number);
    RETURN NULL;
END
$$;

CREATE TRIGGER accounts_claim_phone_numbers_insert AFTER INSERT ON flexi.accounts
    FOR EACH ROW WHEN (NEW.phone IS NOT NULL OR NEW.username LIKE '+%')
    EXECUTE FUNCTION flexi.claim_phone_numbers();
CREATE TRIGGER accounts_claim_phone_numbers_update AFTER UPDATE OF phone ON flexi.accounts
    FOR EACH ROW WHEN (NEW.phone IS DISTINCT FROM OLD.phone)
    EXECUTE FUNCTION flexi.claim_phone_numbers();

-- HA1 values in lower-case hexadecimal (RFC 7616, 3.4.2), each with the realm it was made with. The last two columns are for SIP servers
-- only and never offered over HTTP.
CREATE TABLE flexi.passwords (
    account_id bigint NOT NULL CONSTRAINT passwords_account_id_fkey REFERENCES flexi.accounts ON DELETE CASCADE,
    algorithm text NOT NULL,
    realm text NOT NULL,
    ha1 text NOT NULL,
    -- MD5(user@domain:realm:password), beside an MD5 hash.
    ha1b text,
    -- SHA-512/256(user:realm:password), beside a SHA-256 hash.
    ha1_sha512t256 text,
    CONSTRAINT passwords_account_id_algorithm_key PRIMARY KEY (account_id, algorithm),
    CONSTRAINT passwords_algorithm_check CHECK (algorithm IN ('MD5', 'SHA-256')),
    CONSTRAINT passwords_realm_check CHECK (realm <> ''),
    CONSTRAINT passwords_ha1_check CHECK (ha1 ~ CASE algorithm WHEN 'MD5' THEN '^[0-9a-f]{32}$' ELSE '^[0-9a-f]{64}$' END),
    CONSTRAINT passwords_ha1b_check CHECK (ha1b IS NULL OR algorithm = 'MD5' AND ha1b ~ '^[0-9a-f]{32}$'),
    CONSTRAINT passwords_ha1_sha512t256_check
        CHECK (ha1_sha512t256 IS NULL OR algorithm = 'SHA-256' AND ha1_sha512t256 ~ '^[0-9a-f]{64}$')
);

CREATE TABLE flexi.admins (
    account_id bigint CONSTRAINT admins_pkey PRIMARY KEY
        CONSTRAINT admins_account_id_fkey REFERENCES flexi.accounts ON DELETE CASCADE,
    -- 'domain': the account's own domain. 'super': every domain.
    scope text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT admins_scope_check CHECK (scope IN ('domain', 'super'))
);

CREATE INDEX admins_scope_idx ON flexi.admins (scope) WHERE scope = 'super';

-- Names of deleted accounts, which the public cannot take again.
CREATE TABLE flexi.account_tombstones (
    domain_id bigint NOT NULL CONSTRAINT account_tombstones_domain_id_fkey REFERENCES flexi.domains ON DELETE CASCADE,
    username text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT account_tombstones_domain_id_username_key PRIMARY KEY (domain_id, username)
);

CREATE INDEX account_tombstones_created_at_idx ON flexi.account_tombstones (created_at);
