"""Measures PGClient beside pgbench, psql, pgx and libpq called from C: one database, one query, interleaved rounds (README.md)."""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

from report import report

HERE = pathlib.Path(__file__).resolve().parent
CONNECTIONS = 8
TASKS = (1, 8, 64, 256)
# Where the tasks run: on the threads that all share, or on that of the connections.
PLACES = {"": (), " in pool": ("--in-pool",)}
CLOCK_TICK = os.sysconf("SC_CLK_TCK")
SELECT = "SELECT id, username, domain, activated, ha1 FROM accounts WHERE username = {} AND domain = {}"
SCHEMA = """
CREATE TABLE accounts (id bigint, username text NOT NULL, domain text NOT NULL, activated boolean NOT NULL, ha1 text NOT NULL);
INSERT INTO accounts
    SELECT n + 1, n::text, (n % 100)::text, n % 3 <> 0, md5(n::text) FROM generate_series(0, {accounts} - 1) AS n;
CREATE INDEX ON accounts (username, domain);
CREATE INDEX ON accounts (id);
VACUUM ANALYZE accounts;
CREATE UNLOGGED TABLE copied (LIKE accounts);
CREATE UNLOGGED TABLE inserted (id bigint, username text NOT NULL, activated boolean NOT NULL);
CHECKPOINT;
"""


class Failure(Exception):
    """Says in one line what is wrong."""


class Run:
    """What a program did, and the CPU that it and the server took for it."""

    def __init__(self, measured, client, server):
        self.measured = measured
        self.client = client
        self.server = server

    def rate(self):
        return self.measured.get("queries", self.measured.get("rows")) / self.measured["seconds"]

    def client_us(self):
        return self.client / self.measured.get("queries", self.measured.get("rows")) * 1e6

    def server_us(self):
        return self.server / self.measured.get("queries", self.measured.get("rows")) * 1e6


class Bench:
    """Runs the programs on a database of its own, which `with` removes again."""

    def __init__(self, arguments, folder):
        self.environment = libpq_environment(os.environ["DATABASE_URL"])
        self.database = f"bench_{os.getpid()}"
        self.seconds = arguments.seconds
        self.accounts = arguments.accounts
        self.rounds = arguments.rounds
        self.swift = pathlib.Path(arguments.program).resolve()
        self.folder = folder
        self.libpq = self.compile()
        self.pgx = self.compile_pgx()
        self.script = folder / "select.sql"
        self.script.write_text(
            f"\\set n random(0, {self.accounts} - 1)\n\\set d :n % 100\n" + SELECT.format(":n", ":d") + ";\n")
        self.small_script = folder / "small.sql"
        self.small_script.write_text(f"\\set n random(0, {self.accounts} - 1)\nSELECT :n::int;\n")
        self.postmaster = None

    def __enter__(self):
        self.psql(f"CREATE DATABASE {self.database}")
        self.environment["PGDATABASE"] = self.database
        self.psql(SCHEMA.format(accounts=self.accounts))
        self.postmaster = self.find_postmaster()
        return self

    def __exit__(self, *_):
        self.psql(f"\\connect postgres\nDROP DATABASE {self.database} WITH (FORCE)")

    def compile(self):
        program = self.folder / "libpq"
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libpq"], stdout=subprocess.PIPE, text=True, check=True)
        subprocess.run(
            ["cc", "-O2", "-pthread", "-Wall", "-Werror", "-o", program, HERE / "libpq/libpq.c", *flags.stdout.split()], check=True)
        return program

    def compile_pgx(self):
        """By Debian's Go and out of its packages, so that nothing is downloaded."""
        program = self.folder / "pgx"
        environment = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(self.folder / "go"), "GOFLAGS": ""}
        subprocess.run(["/usr/bin/go", "build", "-o", program, HERE / "pgx/pgx.go"], check=True, cwd=self.folder, env=environment)
        return program

    def psql(self, sql):
        done = subprocess.run(
            ["psql", "--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"], input=sql,
            stdout=subprocess.PIPE, text=True, env=self.environment)
        if done.returncode != 0:
            raise Failure(f"psql ended with {done.returncode}")
        return done.stdout.strip()

    def find_postmaster(self):
        """None when the server is in a container or elsewhere: then its CPU is not known."""
        pid = int(self.psql("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)"))
        try:
            return pid if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "postgres" else None
        except OSError:
            return None

    def server_seconds(self):
        """Of the postmaster's sessions that have ended."""
        if self.postmaster is None:
            return float("nan")
        fields = pathlib.Path(f"/proc/{self.postmaster}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / CLOCK_TICK

    def run(self, *command):
        """A program's output, how long it ran, and the CPU of it and of the server, all in seconds.

        Its sessions end with it, so that the postmaster has their CPU."""
        before = self.server_seconds()
        begun = time.monotonic()
        with tempfile.TemporaryFile(dir=self.folder) as output:
            process = subprocess.Popen(
                [str(part) for part in command], stdout=output, stdin=subprocess.DEVNULL, cwd=self.folder,
                env=self.environment)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                raise Failure(f"{pathlib.Path(command[0]).name} {command[1]} ended with {process.returncode}")
            output.seek(0)
            text = output.read().decode()
        self.wait_for_sessions()
        return text, seconds, usage.ru_utime + usage.ru_stime, self.server_seconds() - before

    def wait_for_sessions(self):
        others = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{self.database}' AND pid <> pg_backend_pid()"
        while self.psql(others) != "0":
            pass

    def program(self, *command):
        text, _, client, server = self.run(*command)
        measured = json.loads(text)
        return Run(measured, measured.get("cpu", client), server)

    def pgclient(self, what, *arguments, prefix=(), **options):
        return self.program(*prefix, self.swift, what, *arguments, *[f"--{name}={value}" for name, value in options.items()])

    def select(self, tasks, way, *options, what="account", seconds=None, prefix=()):
        return self.pgclient(
            "select", f"--what={what}", *options, prefix=prefix, tasks=tasks, way=way, connections=CONNECTIONS,
            seconds=seconds or self.seconds, accounts=self.accounts)

    def pgbench(self, clients, protocol="prepared", script=None):
        log = self.folder / f"pgbench-{clients}"
        text, _, client, server = self.run(
            "pgbench", "--no-vacuum", f"--protocol={protocol}", f"--client={clients}", "--jobs=1",
            f"--time={max(1, round(self.seconds))}", f"--file={script or self.script}", "--log", f"--log-prefix={log}",
            "--sampling-rate=0.1")
        latencies = []
        for file in self.folder.glob(f"{log.name}.*"):
            latencies += [int(line.split()[2]) for line in file.read_text().splitlines()]
            file.unlink()
        queries = int(re.search(r"actually processed: (\d+)", text).group(1))
        rate = float(re.search(r"tps = ([\d.]+)", text).group(1))
        return Run(
            {"queries": queries, "seconds": queries / rate, "p50": statistics.median(latencies)}, client, server)


def libpq_environment(url):
    """The URL as the variables that every libpq program reads, so that a password stands in no argument."""
    parts = urllib.parse.urlsplit(url)
    given = {
        "PGHOST": parts.hostname, "PGPORT": parts.port, "PGUSER": parts.username, "PGPASSWORD": parts.password,
        "PGDATABASE": parts.path.lstrip("/"), **{f"PG{key.upper()}": value for key, value in urllib.parse.parse_qsl(parts.query)}}
    return {**os.environ, **{name: urllib.parse.unquote(str(value)) for name, value in given.items() if value}}


def main():
    groups = {group.__name__: group for group in (select, small, instructions, fairness, decode, insert, copy, cancel)}
    parser = argparse.ArgumentParser()
    parser.add_argument("program", help="PGClientBench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--only", choices=tuple(groups), help="one group alone")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            load = os.getloadavg()[0]
            print(f"PGClient: {arguments.rounds} rounds, {CONNECTIONS} connections, {arguments.accounts:,} accounts, load {load:.1f}")
            with Bench(arguments, pathlib.Path(folder)) as bench:
                for name, group in groups.items():
                    if arguments.only in (None, name):
                        group(bench)
    except Failure as failure:
        sys.exit(f"bench: {failure}")


def rounds(bench, programs):
    """The runs of each program by name. One round runs each once, so that what disturbs the machine disturbs all."""
    runs = {name: [] for name in programs}
    for _ in range(bench.rounds):
        for name, program in programs.items():
            runs[name].append(program())
    return runs


def table(unit, runs):
    print(f"     {'':34} {unit + '/s':>12} {'client µs':>10} {'server µs':>10} {'p50 µs':>8} {'p99 µs':>8} {'max µs':>8}")
    for name, done in runs.items():
        figures = [statistics.median(map(figure, done)) for figure in (Run.rate, Run.client_us, Run.server_us)]
        latencies = [statistics.median(run.measured[key] for run in done) if key in done[0].measured else None
                     for key in ("p50", "p99", "max")]
        text = " ".join(" " * 8 if latency is None else f"{latency:8,.0f}" for latency in latencies)
        print(f"     {name:34} {figures[0]:12,.0f} {figures[1]:10.2f} {figures[2]:10.2f} {text}", flush=True)


def ratios(runs, name, peer, figure):
    return [figure(ours) / figure(theirs) for ours, theirs in zip(runs[name], runs[peer])]


def select(bench):
    programs = {"pgbench, 1 client": lambda: bench.pgbench(1), f"pgbench, {CONNECTIONS} clients": lambda: bench.pgbench(CONNECTIONS)}
    for connections in (1, CONNECTIONS):
        programs[f"libpq in C, {connections} blocking threads"] = lambda connections=connections: bench.program(
            bench.libpq, "select", connections, bench.seconds, bench.accounts)
    for way in ("leased", "shared"):
        for place, options in PLACES.items():
            for tasks in TASKS:
                programs[f"PGClient, {way}{place}, {tasks} tasks"] = (
                    lambda way=way, options=options, tasks=tasks: bench.select(tasks, way, *options))
    runs = rounds(bench, programs)
    table("queries", runs)
    peer = f"pgbench, {CONNECTIONS} clients"
    for way, cpu, rate in (("leased", 1.5, 1.05), ("shared", 0.5, 2.7)):
        for place in PLACES:
            name = f"PGClient, {way}{place}, 64 tasks"
            report("P1", f"client CPU, {way}{place}, 64 tasks ÷ pgbench", cpu, "", ratios(runs, name, peer, Run.client_us))
            report("P2", f"queries a second, {way}{place}, 64 tasks ÷ pgbench", rate, "", ratios(
                runs, name, peer, Run.rate), at_least=True)
        report("P3", f"p50 of one task, {way} ÷ pgbench's", 2.2, "", ratios(
            runs, f"PGClient, {way}, 1 tasks", "pgbench, 1 client", lambda run: run.measured["p50"]))


def small(bench):
    pgbench = f"pgbench, {CONNECTIONS} clients, extended"
    programs = {pgbench: lambda: bench.pgbench(CONNECTIONS, "extended", bench.small_script)}
    # Where it is what a client makes of one processor that counts, it has no more; the server has all.
    for processors, prefix in {"": (), ", one processor": ("taskset", "--cpu-list", max(os.sched_getaffinity(0)))}.items():
        for tasks in (CONNECTIONS, 64):
            programs[f"pgx, {tasks} tasks{processors}"] = (
                lambda tasks=tasks, prefix=prefix: bench.program(*prefix, bench.pgx, tasks, CONNECTIONS, bench.seconds))
            for way in ("leased", "shared"):
                for place, options in PLACES.items():
                    programs[f"{way}{place}, {tasks} tasks{processors}"] = (
                        lambda way=way, options=options, tasks=tasks, prefix=prefix: bench.select(
                            tasks, way, *options, what="number", prefix=prefix))
    runs = rounds(bench, programs)
    table("queries", runs)
    for way in ("leased", "shared"):
        report("", f"SELECT $1::int, {way}, 64 tasks ÷ {pgbench}", 0.6, "", ratios(
            runs, f"{way}, 64 tasks", pgbench, Run.rate), at_least=True)
    for name in programs:
        if name.startswith(("leased", "shared")):
            peer = "pgx, " + name.partition(", ")[2]
            report("", f"{name} ÷ pgx", 1, "", ratios(runs, name, peer, Run.rate), at_least=True)


def instructions(bench):
    """What a query takes of the client's process, by the difference between a run and one twice as long: no mood of the machine is in it."""
    tasks, queries = 64, 200

    def count(queries, way, options):
        with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
            log = pathlib.Path(folder) / "log"
            bench.select(
                tasks, way, *options, f"--queries={queries}", what="number",
                prefix=("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log}"))
            return int(re.search(r"Collected : (\d+)", log.read_text()).group(1))

    for way in ("leased", "shared"):
        for place, options in PLACES.items():
            spent = count(2 * queries, way, options) - count(queries, way, options)
            report("", f"instructions, SELECT $1::int, {way}{place}, {tasks} tasks", None, "", [spent / (tasks * queries)])


def fairness(bench):
    runs = rounds(bench, {
        f"PGClient, leased{place}, 64 tasks": lambda options=options: bench.select(64, "leased", *options, what="pause", seconds=10)
        for place, options in PLACES.items()})
    table("queries", runs)
    for name, done in runs.items():
        for what, key, target in (("p99", "p99", 2), ("longest", "max", 3)):
            report("", f"fairness, {name.removeprefix('PGClient, ')}: {what} ÷ p50", target, "", [
                run.measured[key] / run.measured["p50"] for run in done])


def decode(bench):
    runs = rounds(bench, {
        "libpq in C": lambda: bench.program(bench.libpq, "decode", 500, 1000),
        "PGClient": lambda: bench.pgclient("decode", results=500, rows=1000)})
    table("rows", runs)
    report("P4", "client CPU, 1,000 rows decoded ÷ libpq in C", 1.5, "", ratios(runs, "PGClient", "libpq in C", Run.client_us))


def insert(bench):
    runs = rounds(bench, {
        "libpq in C, one by one": lambda: bench.program(bench.libpq, "insert", 20_000),
        "PGClient, one by one": lambda: bench.pgclient("insert", rows=20_000, way="single"),
        "PGClient, pipelined": lambda: bench.pgclient("insert", rows=20_000, way="pipelined")})
    table("rows", runs)
    report("", "inserts a second, pipelined ÷ one by one", 5, "", ratios(
        runs, "PGClient, pipelined", "PGClient, one by one", Run.rate), at_least=True)


def copy(bench):
    file = bench.folder / "accounts.copy"
    bench.psql(f"\\copy accounts to '{file}'")

    def psql():
        bench.psql("TRUNCATE copied")
        _, seconds, client, server = bench.run(
            "psql", "--quiet", "--no-psqlrc", "--command", f"\\copy copied from '{file}'")
        return Run({"rows": bench.accounts, "seconds": seconds}, client, server)

    runs = rounds(bench, {r"psql \copy": psql, "PGClient": lambda: bench.pgclient("copy", file)})
    table("rows", runs)
    for what, figure in (("wall", lambda run: run.measured["seconds"]), ("client CPU", Run.client_us)):
        report("P5", f"COPY in of {bench.accounts:,} rows, {what} ÷ psql", 1.1, "", ratios(runs, "PGClient", r"psql \copy", figure))


def cancel(bench):
    runs = rounds(bench, {"PGClient": lambda: bench.pgclient("cancel", cancels=50)})["PGClient"]
    for what, key in (("median", "p50"), ("longest", "max")):
        report("", f"50 cancelled queries: until the task goes on, {what}", 20, " ms", [run.measured[key] / 1000 for run in runs])
    report("", "the same: queries that the server still runs", 0, "", [run.measured["left"] for run in runs])
    report("", "the same: connections lost", 0, "", [run.measured["lost"] for run in runs])


if __name__ == "__main__":
    main()
