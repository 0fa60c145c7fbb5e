-- Contact lists, and what an account is and can do: its types and its DTMF actions. Each row stays in its account's domain.

CREATE TABLE flexi.contacts (
    domain_id bigint NOT NULL,
    account_id bigint NOT NULL,
    contact_id bigint NOT NULL CONSTRAINT contacts_contact_id_fkey REFERENCES flexi.accounts ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT contacts_account_id_contact_id_key PRIMARY KEY (account_id, contact_id),
    CONSTRAINT contacts_domain_id_account_id_fkey
        FOREIGN KEY (domain_id, account_id) REFERENCES flexi.accounts (domain_id, id) ON DELETE CASCADE
);

CREATE INDEX contacts_contact_id_idx ON flexi.contacts (contact_id);

CREATE TABLE flexi.account_types (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT account_types_pkey PRIMARY KEY,
    domain_id bigint NOT NULL CONSTRAINT account_types_domain_id_fkey REFERENCES flexi.domains ON DELETE CASCADE,
    key text COLLATE "C" NOT NULL,
    CONSTRAINT account_types_domain_id_key_key UNIQUE (domain_id, key),
    CONSTRAINT account_types_domain_id_id_key UNIQUE (domain_id, id),
    CONSTRAINT account_types_key_check CHECK (key ~ '^[a-z0-9_-]{1,64}$')
);

-- Every domain begins with the types that intercom and camera clients know.
CREATE FUNCTION flexi.seed_account_types() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO flexi.account_types (domain_id, key)
    SELECT NEW.id, key
    FROM unnest(ARRAY[
        'device_audio_intercom', 'device_video_intercom', 'device_security_camera', 'device_internal_unit']) AS key;
    RETURN NULL;
END
$$;

CREATE TRIGGER domains_seed_account_types AFTER INSERT ON flexi.domains
    FOR EACH ROW EXECUTE FUNCTION flexi.seed_account_types();

CREATE TABLE flexi.account_type_assignments (
    domain_id bigint NOT NULL,
    account_id bigint NOT NULL,
    type_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT account_type_assignments_account_id_type_id_key PRIMARY KEY (account_id, type_id),
    CONSTRAINT account_type_assignments_domain_id_account_id_fkey
        FOREIGN KEY (domain_id, account_id) REFERENCES flexi.accounts (domain_id, id) ON DELETE CASCADE,
    CONSTRAINT account_type_assignments_domain_id_type_id_fkey
        FOREIGN KEY (domain_id, type_id) REFERENCES flexi.account_types (domain_id, id) ON DELETE CASCADE
);

CREATE INDEX account_type_assignments_type_id_idx ON flexi.account_type_assignments (type_id);

CREATE TABLE flexi.account_actions (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT account_actions_pkey PRIMARY KEY,
    domain_id bigint NOT NULL,
    account_id bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    CONSTRAINT account_actions_domain_id_account_id_fkey
        FOREIGN KEY (domain_id, account_id) REFERENCES flexi.accounts (domain_id, id) ON DELETE CASCADE,
    CONSTRAINT account_actions_key_check CHECK (key ~ '^[a-z0-9_-]{1,64}$'),
    CONSTRAINT account_actions_code_check CHECK (code ~ '^[a-z0-9]{1,64}$')
);

CREATE INDEX account_actions_account_id_id_idx ON flexi.account_actions (account_id, id);
