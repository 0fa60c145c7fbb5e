-- The language that an account is written to in: the last one that its owner asked for of those that there are.

ALTER TABLE flexi.accounts
    ADD COLUMN language text COLLATE "C",
    ADD CONSTRAINT accounts_language_check CHECK (language ~ '^[a-z]{2,3}$');
