"""The throw-away server, and migrate on its databases."""

import os
import pathlib
import signal
import subprocess
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Failure(Exception):
    """Says in one line which promise was broken."""


class Server:
    def __init__(self, program, cluster):
        self.program = str(ROOT / program)
        self.cluster = cluster
        url = subprocess.run(
            [ROOT / "scripts/postgres", "url", cluster], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        self.sockets, self.user = query["host"], query["user"]

    def conninfo(self, database, sockets=None):
        return f"host={sockets or self.sockets} port=5432 user={self.user} dbname={database}"

    def psql(self, database, sql, *options):
        done = subprocess.run(
            ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", *options, "-c", sql, self.conninfo(database)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Failure(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def create(self, database, is_durable=True):
        self.psql("postgres", f"CREATE DATABASE {database}")
        if is_durable:
            # The throw-away server confirms commits that a crash takes back; no database that matters does.
            self.psql("postgres", f"ALTER DATABASE {database} SET synchronous_commit = on")

    def drop(self, database):
        self.psql("postgres", f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def migrate(self, database, directory, *arguments, sockets=None, **options):
        command, *rest = arguments
        return subprocess.Popen(
            [self.program, command, "--directory", str(directory), *rest],
            env={**os.environ, "MIGRATE_DATABASE_URL": self.conninfo(database, sockets)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)

    def up(self, database, directory, *arguments):
        """Runs `migrate up` to its end, and returns the seconds that it took."""
        start = time.monotonic()
        with self.migrate(database, directory, "up", *arguments) as process:
            output, _ = process.communicate(timeout=300)
        if process.returncode != 0:
            raise Failure(f"migrate up ended with {process.returncode}: {output.strip()}")
        return time.monotonic() - start

    def crash(self):
        """Stops the server at once, as `pg_ctl stop -m immediate` does, and starts it again."""
        data = self.psql("postgres", "SHOW data_directory")
        pid = int(pathlib.Path(data, "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, signal.SIGQUIT)
        while pathlib.Path(f"/proc/{pid}").exists():
            time.sleep(0.01)
        subprocess.run([ROOT / "scripts/postgres", "up", self.cluster], check=True, stderr=subprocess.DEVNULL)
