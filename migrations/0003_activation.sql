-- How an account comes to life and is changed: creation tokens, activation codes, provisioning tokens, new addresses and numbers.
-- Columns ending in _hash hold SHA-256 of a random token or an HMAC of a PIN; sealed_ columns hold what an administrator may read again
-- (AES-256-GCM).

CREATE TABLE flexi.account_creation_tokens (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT account_creation_tokens_pkey PRIMARY KEY,
    -- The account is made in this domain, whatever the request says.
    domain_id bigint NOT NULL CONSTRAINT account_creation_tokens_domain_id_fkey REFERENCES flexi.domains ON DELETE CASCADE,
    token_hash bytea NOT NULL CONSTRAINT account_creation_tokens_token_hash_key UNIQUE,
    -- The administrator who made it; NULL for one sent by push.
    created_by bigint CONSTRAINT account_creation_tokens_created_by_fkey REFERENCES flexi.accounts ON DELETE SET NULL,
    -- RFC 8599 parameters of the device it was pushed to.
    pn_provider text,
    pn_param text,
    pn_prid text,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz,
    -- The account that it made.
    account_id bigint CONSTRAINT account_creation_tokens_account_id_fkey REFERENCES flexi.accounts ON DELETE SET NULL,
    CONSTRAINT account_creation_tokens_token_hash_check CHECK (length(token_hash) = 32),
    CONSTRAINT account_creation_tokens_pn_check CHECK (num_nonnulls(pn_provider, pn_param, pn_prid) IN (0, 3))
);

CREATE INDEX account_creation_tokens_domain_id_idx ON flexi.account_creation_tokens (domain_id);
CREATE INDEX account_creation_tokens_created_by_idx ON flexi.account_creation_tokens (created_by) WHERE created_by IS NOT NULL;
CREATE INDEX account_creation_tokens_account_id_idx ON flexi.account_creation_tokens (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX account_creation_tokens_pn_idx ON flexi.account_creation_tokens (pn_prid, pn_provider, pn_param, created_at)
    WHERE pn_prid IS NOT NULL;
CREATE INDEX account_creation_tokens_created_at_idx ON flexi.account_creation_tokens (created_at);

CREATE TABLE flexi.activation_codes (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT activation_codes_pkey PRIMARY KEY,
    account_id bigint NOT NULL CONSTRAINT activation_codes_account_id_fkey REFERENCES flexi.accounts ON DELETE CASCADE,
    purpose text NOT NULL,
    code_hash bytea NOT NULL,
    -- Shown to administrators as confirmation_key; PINs are never shown again.
    sealed_code bytea,
    -- Wrong tries so far; only PINs count them.
    attempts smallint NOT NULL DEFAULT 0,
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT activation_codes_account_id_purpose_key UNIQUE (account_id, purpose),
    CONSTRAINT activation_codes_purpose_check CHECK (purpose IN ('email', 'phone')),
    CONSTRAINT activation_codes_code_hash_check CHECK (length(code_hash) = 32)
);

CREATE INDEX activation_codes_expires_at_idx ON flexi.activation_codes (expires_at) WHERE expires_at IS NOT NULL;

-- Deleted when it is used: whoever deletes the row is the one who is served.
CREATE TABLE flexi.provisioning_tokens (
    account_id bigint CONSTRAINT provisioning_tokens_pkey PRIMARY KEY
        CONSTRAINT provisioning_tokens_account_id_fkey REFERENCES flexi.accounts ON DELETE CASCADE,
    token_hash bytea NOT NULL CONSTRAINT provisioning_tokens_token_hash_key UNIQUE,
    sealed_token bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT provisioning_tokens_token_hash_check CHECK (length(token_hash) = 32)
);

CREATE TABLE flexi.email_changes (
    account_id bigint CONSTRAINT email_changes_pkey PRIMARY KEY
        CONSTRAINT email_changes_account_id_fkey REFERENCES flexi.accounts ON DELETE CASCADE,
    new_email text NOT NULL,
    code_hash bytea NOT NULL CONSTRAINT email_changes_code_hash_key UNIQUE,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT email_changes_new_email_check CHECK (length(new_email) BETWEEN 3 AND 254),
    CONSTRAINT email_changes_code_hash_check CHECK (length(code_hash) = 32)
);

CREATE INDEX email_changes_expires_at_idx ON flexi.email_changes (expires_at);

CREATE TABLE flexi.phone_changes (
    account_id bigint CONSTRAINT phone_changes_pkey PRIMARY KEY
        CONSTRAINT phone_changes_account_id_fkey REFERENCES flexi.accounts ON DELETE CASCADE,
    new_phone text COLLATE "C" NOT NULL,
    code_hash bytea NOT NULL,
    attempts smallint NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT phone_changes_new_phone_check CHECK (new_phone ~ '^\+[1-9][0-9]{1,14}$'),
    CONSTRAINT phone_changes_code_hash_check CHECK (length(code_hash) = 32)
);

CREATE INDEX phone_changes_expires_at_idx ON flexi.phone_changes (expires_at);
