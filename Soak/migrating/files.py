"""Directories of migrations."""

import contextlib
import pathlib
import tempfile

MIXED = {
    "1_schema.sql": """
        CREATE SCHEMA app;
        CREATE TABLE app.log (entry text NOT NULL);
        CREATE TABLE app.accounts (id bigint CONSTRAINT accounts_pkey PRIMARY KEY, name text, size int);
        INSERT INTO app.accounts SELECT i, 'n' || i, i % 7 FROM generate_series(1, 5000) AS i;
        INSERT INTO app.log VALUES ('1');
    """,
    "2_functions.sql": """
        CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.size := 1; RETURN NEW; END $$;
        CREATE TRIGGER touch BEFORE UPDATE ON app.accounts FOR EACH ROW EXECUTE FUNCTION app.touch();
        INSERT INTO app.log VALUES ('2');
    """,
    "3_indexes.sql": """-- migrate:no-transaction
        CREATE INDEX CONCURRENTLY accounts_name_idx ON app.accounts (name);
        INSERT INTO app.log VALUES ('3a');
        CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS accounts_name_key ON app.accounts (name);
        INSERT INTO app.log VALUES ('3b');
    """,
    "4_columns.sql": """
        ALTER TABLE app.accounts ADD COLUMN note text NOT NULL DEFAULT 'none';
        UPDATE app.accounts SET note = name WHERE id % 2 = 0;
        INSERT INTO app.log VALUES ('4');
    """,
    "5_upkeep.sql": """-- migrate:no-transaction
        SET search_path = app;
        REINDEX INDEX CONCURRENTLY accounts_name_idx;
        VACUUM accounts;
        DROP INDEX CONCURRENTLY accounts_name_idx;
        INSERT INTO log VALUES ('5');
    """,
    "R__views.sql": """
        CREATE OR REPLACE VIEW app.notes AS SELECT id, note FROM app.accounts;
        INSERT INTO app.log VALUES ('R');
    """,
}


@contextlib.contextmanager
def directory_of(files):
    with tempfile.TemporaryDirectory(prefix="migrations-") as directory:
        for name, sql in files.items():
            pathlib.Path(directory, name).write_text(sql)
        yield directory


def mixed_files():
    """Transactions, statements outside of one, and a repeatable file; the rows of app.log tell what ran twice."""
    return directory_of(MIXED)


def many_files(count):
    """Small files, as three hundred of them would be in a project of some years."""
    return directory_of({
        f"{number:04}_table.sql": f"""
            CREATE TABLE t{number} (id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT t{number}_pkey PRIMARY KEY, name text NOT NULL);
            CREATE INDEX t{number}_name_idx ON t{number} (name);
            INSERT INTO t{number} (name) VALUES ('a'), ('b');
            """
        for number in range(1, count + 1)
    })
