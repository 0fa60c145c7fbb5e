"""Puts migrate and its peers into the same situations, and prints what each did side by side. Fails when migrate did not do what it
promises; what the others do is for the reader."""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

from tools import LIMIT_SECONDS, TOOLS

THREE = [("one", "CREATE TABLE one (a int); SELECT pg_sleep(0.3);"), ("two", "CREATE TABLE two (a int);"),
         ("three", "CREATE TABLE three (a int);")]
SLOW = [THREE[0], ("two", "CREATE TABLE two (a int); SELECT pg_sleep(4);"), THREE[2]]
BODIES = [
    ("dollars", "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $x$ BEGIN PERFORM $$;$$; RETURN 1; END $x$;"),
    ("atomic", "CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;"),
]
HIDDEN = [("hidden", "CREATE TABLE half (a int);\nCOMMIT;\nCREATE TABLE half (a int);")]


class Situation:
    """One tool, with a database and a folder of its own."""

    def __init__(self, tool, options):
        self.tool = tool
        self.options = options
        self.database = f"peer_{tool.name.replace('-', '_')}"
        self.folder = tempfile.TemporaryDirectory(prefix="peer-")

    def __enter__(self):
        self.psql("postgres", f"CREATE DATABASE {self.database}")
        return self

    def __exit__(self, *_):
        self.psql("postgres", f"DROP DATABASE {self.database} WITH (FORCE)")
        self.folder.cleanup()

    def psql(self, database, sql):
        return subprocess.run(
            ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql,
             f"host={self.options.sockets} port=5432 user={self.options.user} dbname={database}"],
            check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def tables(self, *names):
        listed = ",".join(f"'{name}'" for name in names)
        return int(self.psql(self.database, f"SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename IN ({listed})"))

    def write(self, changes):
        self.tool.write(self.folder.name, changes)

    def start(self):
        return self.tool.start(self.folder.name, self.database)

    def up(self):
        """The exit code, or what it was doing when time was out."""
        with self.start() as process:
            try:
                process.communicate(timeout=LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                return "still waiting"
        return process.returncode

    def check(self):
        return self.tool.check(self.folder.name, self.database)


def three_at_once(situation):
    situation.write(THREE)
    processes = [situation.start() for _ in range(3)]
    for process in processes:
        process.communicate(timeout=LIMIT_SECONDS * 2)
    codes = sorted(process.returncode for process in processes)
    return f"ended with {', '.join(map(str, codes))}", codes == [0, 0, 0] and situation.tables("one", "two", "three") == 3


def killed_in_the_second(situation):
    situation.write(SLOW)
    process = situation.start()
    deadline = time.monotonic() + LIMIT_SECONDS
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(4)%' AND pid <> pg_backend_pid() AND state = 'active'"
    while situation.psql(situation.database, asleep) == "0":
        if time.monotonic() > deadline:
            return "never came to the second file", False
        time.sleep(0.02)
    process.kill()
    process.communicate()
    # psql, which sqitch starts, goes on without its parent.
    code = situation.up()
    tables = situation.tables("one", "two", "three")
    return f"again: {code}, {tables} of 3 tables", code == 0 and tables == 3


def edited_file(situation):
    situation.write(THREE)
    situation.up()
    situation.write([("one", "CREATE TABLE one (b text); SELECT pg_sleep(0.3);"), *THREE[1:]])
    code = situation.check()
    return ("no such command" if code is None else f"check: {code}"), code not in (0, None)


def changed_by_hand(situation):
    situation.write(THREE)
    situation.up()
    situation.psql(situation.database, "ALTER TABLE one ADD COLUMN by_hand int")
    code = situation.check()
    return ("no such command" if code is None else f"check: {code}"), code not in (0, None)


def bodies_of_functions(situation):
    situation.write(BODIES)
    code = situation.up()
    count = situation.psql(situation.database, "SELECT count(*) FROM pg_proc WHERE proname IN ('f', 'g') AND pronamespace = 'public'::regnamespace")
    return f"{code}, {count} of 2 functions", code == 0 and count == "2"


def hidden_commit(situation):
    situation.write(HIDDEN)
    code = situation.up()
    half = situation.tables("half")
    return f"{code}, {'half of it stays' if half else 'nothing stays'}", code not in (0, "still waiting") and half == 0


SITUATIONS = (
    ("three runs at once on an empty database", three_at_once),
    ("kill -9 in the second of three files, run again", killed_in_the_second),
    ("an applied file was edited", edited_file),
    ("a column was added by hand", changed_by_hand),
    ("$$ and BEGIN ATOMIC bodies", bodies_of_functions),
    ("COMMIT inside a file that fails afterwards", hidden_commit),
)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("migrate")
    parser.add_argument("python_programs", help="the folder of alembic and yoyo")
    parser.add_argument("sockets")
    parser.add_argument("user")
    options = parser.parse_args()
    programs = {name: str(pathlib.Path(options.python_programs, name)) for name in ("alembic", "yoyo")}
    programs["migrate"] = str(pathlib.Path(options.migrate).resolve())
    broken = []
    for title, situation_of in SITUATIONS:
        print(title, flush=True)
        for kind in TOOLS:
            with Situation(kind(programs, options.sockets, options.user), options) as situation:
                said, is_right = situation_of(situation)
            print(f"    {kind.name:12} {'good' if is_right else '    '}  {said}", flush=True)
            if kind.name == "migrate" and not is_right:
                broken.append(title)
    if broken:
        sys.exit("migrate did not do what it promises: " + "; ".join(broken))


if __name__ == "__main__":
    main()
