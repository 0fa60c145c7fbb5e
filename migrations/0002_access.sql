-- What lets a caller in: API keys, auth tokens, and the counters of the digest nonces. Random tokens are stored as their SHA-256.

CREATE TABLE flexi.api_keys (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT api_keys_pkey PRIMARY KEY,
    account_id bigint NOT NULL CONSTRAINT api_keys_account_id_fkey REFERENCES flexi.accounts ON DELETE CASCADE,
    -- NULL: the account's own key, which a new one replaces. Named keys are made for services and stay until they expire.
    name text,
    key_hash bytea NOT NULL CONSTRAINT api_keys_key_hash_key UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Written at most once a minute; the unnamed key expires by it.
    last_used_at timestamptz NOT NULL DEFAULT now(),
    -- Named keys only; NULL never expires.
    expires_at timestamptz,
    CONSTRAINT api_keys_account_id_name_key UNIQUE NULLS NOT DISTINCT (account_id, name),
    CONSTRAINT api_keys_name_check CHECK (length(name) BETWEEN 1 AND 64),
    CONSTRAINT api_keys_key_hash_check CHECK (length(key_hash) = 32),
    CONSTRAINT api_keys_expires_at_check CHECK (expires_at IS NULL OR name IS NOT NULL)
);

CREATE INDEX api_keys_last_used_at_idx ON flexi.api_keys (last_used_at) WHERE name IS NULL;

CREATE TABLE flexi.auth_tokens (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT auth_tokens_pkey PRIMARY KEY,
    token_hash bytea NOT NULL CONSTRAINT auth_tokens_token_hash_key UNIQUE,
    -- NULL until an authenticated account attaches the token to itself.
    account_id bigint CONSTRAINT auth_tokens_account_id_fkey REFERENCES flexi.accounts ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT auth_tokens_token_hash_check CHECK (length(token_hash) = 32)
);

CREATE INDEX auth_tokens_account_id_idx ON flexi.auth_tokens (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX auth_tokens_expires_at_idx ON flexi.auth_tokens (expires_at);

-- The highest nonce count seen for each nonce (RFC 7616, 3.4). A crash of PostgreSQL empties both tables while nonces in the hands of
-- clients stay valid; a nonce issued before started_at is therefore refused as stale.
CREATE UNLOGGED TABLE flexi.digest_nonces (
    nonce bytea CONSTRAINT digest_nonces_pkey PRIMARY KEY,
    nc bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT digest_nonces_nc_check CHECK (nc BETWEEN 1 AND 4294967295)
);

CREATE INDEX digest_nonces_expires_at_idx ON flexi.digest_nonces (expires_at);

CREATE UNLOGGED TABLE flexi.digest_epoch (
    singleton boolean DEFAULT true CONSTRAINT digest_epoch_pkey PRIMARY KEY CONSTRAINT digest_epoch_singleton_check CHECK (singleton),
    started_at timestamptz NOT NULL
);
