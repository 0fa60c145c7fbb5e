-- Delivery of the outbox: until when a message is worth sending, what workers look for, and how many short messages were sent in a day.

ALTER TABLE flexi.outbox
    -- A message that was not delivered by then is given up: its code has expired, or it was tried for long enough.
    ADD COLUMN retry_until timestamptz NOT NULL DEFAULT now() + interval '24 hours',
    ADD CONSTRAINT outbox_last_error_check CHECK (length(last_error) <= 500);

-- A worker serves one channel.
DROP INDEX flexi.outbox_next_attempt_at_idx;
CREATE INDEX outbox_channel_next_attempt_at_idx ON flexi.outbox (channel, next_attempt_at) WHERE state = 'pending';

-- Short messages of a day (UTC), counted for each account, number and client address, and for all of them together.
CREATE TABLE flexi.sms_budgets (
    day date NOT NULL,
    -- HMAC-SHA-256 of what is counted, so that the table tells nobody who was sent what.
    subject_hash bytea NOT NULL,
    used integer NOT NULL,
    CONSTRAINT sms_budgets_pkey PRIMARY KEY (day, subject_hash),
    CONSTRAINT sms_budgets_subject_hash_check CHECK (length(subject_hash) = 32)
);

-- The link of a mail holds the code alone.
CREATE INDEX activation_codes_code_hash_idx ON flexi.activation_codes (code_hash) WHERE purpose = 'email';
