-- What housekeeping looks rows up by.

CREATE INDEX api_keys_expires_at_idx ON flexi.api_keys (expires_at) WHERE expires_at IS NOT NULL;

-- Used tokens are kept, so they must not stand before the unused ones.
DROP INDEX flexi.account_creation_tokens_created_at_idx;
CREATE INDEX account_creation_tokens_created_at_idx ON flexi.account_creation_tokens (created_at) WHERE used_at IS NULL;

CREATE INDEX accounts_unconfirmed_creation_time_idx ON flexi.accounts (creation_time) WHERE NOT activated AND NOT blocked;
