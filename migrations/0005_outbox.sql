-- Mail and short messages on their way out. A row commits with the change that asks for it; workers deliver it.

CREATE TABLE flexi.outbox (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT outbox_pkey PRIMARY KEY,
    domain_id bigint CONSTRAINT outbox_domain_id_fkey REFERENCES flexi.domains ON DELETE CASCADE,
    account_id bigint CONSTRAINT outbox_account_id_fkey REFERENCES flexi.accounts ON DELETE SET NULL,
    channel text NOT NULL,
    -- What is said and to whom, sealed; erased once delivered.
    sealed_payload bytea,
    -- The same request twice is one message.
    idempotency_key text NOT NULL CONSTRAINT outbox_idempotency_key_key UNIQUE,
    state text NOT NULL DEFAULT 'pending',
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT outbox_channel_check CHECK (channel IN ('mail', 'sms')),
    CONSTRAINT outbox_state_check CHECK (state IN ('pending', 'delivered', 'dead')),
    CONSTRAINT outbox_sealed_payload_check CHECK ((state = 'delivered') = (sealed_payload IS NULL)),
    CONSTRAINT outbox_finished_at_check CHECK ((state = 'pending') = (finished_at IS NULL))
);

CREATE INDEX outbox_next_attempt_at_idx ON flexi.outbox (next_attempt_at) WHERE state = 'pending';
CREATE INDEX outbox_finished_at_idx ON flexi.outbox (finished_at) WHERE state <> 'pending';
CREATE INDEX outbox_account_id_idx ON flexi.outbox (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX outbox_domain_id_idx ON flexi.outbox (domain_id) WHERE domain_id IS NOT NULL;
