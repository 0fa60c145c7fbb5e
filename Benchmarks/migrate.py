"""Measures migrate beside psql: 300 files on an empty database, and a run that has nothing to do (README.md)."""

import argparse
import os
import pathlib
import subprocess
import tempfile
import time

from report import report

KINDS = [
    "CREATE TABLE t{n} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, made timestamptz DEFAULT now());\n",
    "CREATE INDEX t{p}_made ON t{p} (made);\n",
    "ALTER TABLE t{q} ADD COLUMN note{n} text, ADD CONSTRAINT t{q}_note{n} CHECK (length(note{n}) < 100);\n",
    "INSERT INTO t{r} (name) SELECT 'name ' || i FROM generate_series(1, 100) AS i;\nANALYZE t{r};\n",
    "CREATE VIEW v{n} AS SELECT id, name FROM t{s};\nCOMMENT ON VIEW v{n} IS 'What is shown';\n",
]


def write_files(folder, count):
    """Mixed files, and one text in which psql is given each as a transaction."""
    text = ["\\set ON_ERROR_STOP on\n"]
    for n in range(count):
        # The table that the last file of the first kind has made.
        made = n - n % len(KINDS)
        sql = KINDS[n % len(KINDS)].format(n=n, p=made, q=made, r=made, s=made)
        name = f"{n + 1:04}_change.sql"
        (folder / name).write_text(sql)
        text.append(f"BEGIN;\n\\i {folder / name}\nCOMMIT;\n")
    script = folder / "all.psql"
    script.write_text("".join(text))
    return script


class Database:
    """An empty database, which `with` removes again."""

    def __init__(self, url):
        self.url = url
        self.name = f"bench_migrate_{os.getpid()}"

    def psql(self, *arguments, **environment):
        subprocess.run(
            ["psql", "-X", "-q", self.url, *arguments], env=os.environ | environment, check=True, stdout=subprocess.DEVNULL)

    def __enter__(self):
        self.psql("-c", f"CREATE DATABASE {self.name}")
        return self

    def __exit__(self, *_):
        self.psql("-c", f"DROP DATABASE {self.name} WITH (FORCE)")

    @property
    def conninfo(self):
        # What stands later decides.
        separator = "&" if "?" in self.url else "?"
        return f"{self.url}{separator}dbname={self.name}"


def seconds(command, **environment):
    start = time.perf_counter()
    subprocess.run(command, env=os.environ | environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("migrate", help="the program")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--durable-url", help="a server with fsync on, to be measured as well")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        script = write_files(folder, arguments.files)
        measure(arguments, folder, script, os.environ["DATABASE_URL"], "fsync off", 1.2)
        if arguments.durable_url:
            measure(arguments, folder, script, arguments.durable_url, "fsync on", None)


def measure(arguments, folder, script, url, what, target):
    ratios, psql_ms, migrate_ms, idle_ms, status_ms = [], [], [], [], []
    up = [arguments.migrate, "up", "--directory", str(folder)]
    status = [arguments.migrate, "status", "--directory", str(folder)]
    for _ in range(arguments.rounds):
        with Database(url) as database:
            by_psql = seconds(["psql", "-X", "-q", database.conninfo, "-f", str(script)])
        with Database(url) as database:
            by_migrate = seconds(up, DATABASE_URL=database.conninfo)
            idle_ms.append(seconds(up, DATABASE_URL=database.conninfo) * 1000)
            status_ms.append(seconds(status, DATABASE_URL=database.conninfo) * 1000)
        ratios.append(by_migrate / by_psql)
        psql_ms.append(by_psql * 1000)
        migrate_ms.append(by_migrate * 1000)
    count = arguments.files
    report("", f"migrate up, {count} files, {what}", None, "ms", migrate_ms)
    report("", f"psql, the same files, a transaction each, {what}", None, "ms", psql_ms)
    report("", f"migrate up / psql, {what}", target, "", ratios)
    report("", f"migrate up with nothing to do, {count} files, {what}", 100 if target else None, "ms", idle_ms)
    report("", f"migrate status, {count} files, {what}", None, "ms", status_ms)


if __name__ == "__main__":
    main()
