"""Measures single routes on a small and a large population, and prints each figure beside its target (README.md)."""

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from deployment import DOMAIN, UNLIMITED, Deployment, Failure, free_port  # noqa: E402
from population import account_id  # noqa: E402
from report import report  # noqa: E402

DOMAINS = 100
CONNECTIONS = 64
# Answers by Digest that wait to be sent: no run may need more.
PREPARED = 40_000
ONES = 200
CLOCK_TICK = os.sysconf("SC_CLK_TCK")
# Numbers of accounts of the main domain: the super administrator, and a user.
ROOT, USER = 0, 2 * DOMAINS
# One account in ten has not been activated, and is to stay.
SETTINGS = {**UNLIMITED, "APP_ADMINS_MANAGE_MULTI_DOMAINS": "true", "UNCONFIRMED_ACCOUNT_DAYS": "0"}
# Tables of so few pages are best read whole.
SMALL_PAGES = 10
# What is counted has to be read: the accounts of an administrator's list, and once at a start the hashes that a new realm voids.
COUNTS = ("SELECT count(*) FROM flexi.accounts", "password.realm <> coalesce")
EXPLAINED = (
    "/api/accounts/{address}/info", "/api/accounts/me", "/api/accounts/me/contacts", "/api/accounts/me/contacts/{contact}",
    "/contacts/vcard", "/contacts/vcard/{contact}", "/provisioning/me", "/api/accounts/{address}/search", "/api/accounts",
    "/api/accounts?page=400", "/api/accounts?after=1000005000", "/api/accounts?username=user.99", "/api/accounts?domain=d7.example.org",
    "/api/accounts?email=user.10@mail.example.org", "/api/accounts?phone=%2B336000000003", "/api/statistics/day",
    "/api/statistics/week", "/api/statistics/month", "/api/accounts/1000000200", "/api/accounts/1000000200/contacts",
    "/api/accounts/1000000200/actions",
)


class Load:
    """What one run of wrk did, and the CPU that it took of the server and of its database sessions, in microseconds a request."""

    def __init__(self, rate, server, database):
        self.rate = rate
        self.server = server
        self.database = database

    @property
    def cpu(self):
        return self.server + self.database


class Site:
    """A server on a database with so many accounts."""

    def __init__(self, deployment, accounts):
        self.deployment = deployment
        self.accounts = accounts
        self.root = headers(ROOT)
        self.user = headers(USER)
        self.address = f"user.{USER}@{DOMAIN}"

    def fill(self):
        generator = subprocess.Popen(
            [sys.executable, HERE / "population.py", "--accounts", str(self.accounts), "--domains", str(DOMAINS)],
            stdout=subprocess.PIPE)
        loader = subprocess.run(
            ["psql", "--quiet", "--set=ON_ERROR_STOP=1", self.deployment.database_url("superuser")], stdin=generator.stdout)
        if loader.returncode != 0 or generator.wait() != 0:
            raise Failure(f"the database was not filled with {self.accounts:,} accounts")

    @property
    def requests(self):
        middle = self.accounts // 20 // 2
        return {
            "ping": ("/api/ping", {}),
            "info": (f"/api/accounts/{self.address}/info", {}),
            "me by key": ("/api/accounts/me", self.user),
            "list, page 1": ("/api/accounts?page=1", self.root),
            "list, half-way": (f"/api/accounts?page={middle}", self.root),
            "list, after an id": (f"/api/accounts?after={account_id(self.accounts // 2)}", self.root),
            "50 vCards": ("/contacts/vcard", self.root),
        }

    # MARK: Under load

    def load(self, target, headers, seconds):
        arguments = [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]
        if "/api/accounts?" in target:
            # A page is worth hundreds of other requests: few at a time, and for longer.
            return self.measured([*arguments, "--connections", "4", "--timeout", "60s", self.deployment.url + target], [], 3 * seconds)
        return self.measured([*arguments, self.deployment.url + target], [], seconds)

    def digest(self, seconds):
        """Answers to challenges that were collected before, so that each request is one answer."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            target = "/api/accounts/me"
            (folder / "asking").write_text(f"{target}\tFrom=sip:{self.address}\n" * 2)
            challenges = []
            while len(challenges) < PREPARED:
                self.wrk(["--script", HERE / "prepared.lua", self.deployment.url], [folder / "asking", folder / "challenges"], 2)
                for number in (0, 1):
                    challenges += (folder / f"challenges.{number}").read_text().splitlines()
            answers = "".join(
                f"{target}\tFrom=sip:{self.address}\tAuthorization={answer(challenge, USER, target)}\n" for challenge in challenges[:PREPARED])
            (folder / "answers").write_text(answers)
            return self.measured(
                ["--script", HERE / "prepared.lua", self.deployment.url], [folder / "answers"], min(seconds, 3), warm_up=False)

    def measured(self, arguments, script_arguments, seconds, warm_up=True):
        if warm_up:
            self.wrk(arguments, script_arguments, 1)
        sessions = self.sessions()
        server, database = cpu([self.deployment.process.pid]), cpu(sessions)
        count, rate = self.wrk(arguments, script_arguments, seconds)
        if count == 0:
            raise Failure(f"nothing was answered within {seconds} s; {self.deployment.last_error()}")
        server, database = cpu([self.deployment.process.pid]) - server, cpu(sessions) - database
        self.deployment.forget_log()
        return Load(rate, server / count * 1e6, database / count * 1e6)

    def wrk(self, arguments, script_arguments, seconds):
        done = subprocess.run(
            ["wrk", "--threads", "2", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s", *arguments,
             *(("--", *script_arguments) if script_arguments else ())],
            stdout=subprocess.PIPE, text=True, check=True)
        collecting = len(script_arguments) == 2
        if not collecting and (refused := re.search(r"Non-2xx or 3xx responses: \d+|Socket errors: .*", done.stdout)):
            raise Failure(f"the load was not answered: {refused[0]}; {self.deployment.last_error()}")
        return int(re.search(r"(\d+) requests in", done.stdout)[1]), float(re.search(r"Requests/sec: +([\d.]+)", done.stdout)[1])

    def sessions(self):
        output = self.deployment.postgres(
            "psql", "--tuples-only", "--no-align", "--command",
            f"SELECT pid FROM pg_stat_activity WHERE datname = '{self.deployment.database}'")
        return [int(line) for line in output.split()]

    # MARK: Plans

    def plans(self, mode):
        """The plan of every statement of requests for everything that the public and users may read, and of the lists."""
        database = self.deployment.database
        settings = {
            "session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": "0", "auto_explain.log_level": "notice",
            "plan_cache_mode": mode,
        }
        for name, value in settings.items():
            self.deployment.psql("--command", f"ALTER DATABASE \"{database}\" SET {name} = '{value}'")
        self.deployment.stop()
        self.deployment.environment["LOG_LEVEL"] = "debug"
        self.deployment.forget_log()
        self.deployment.start()
        for target in EXPLAINED:
            self.milliseconds([target.format(address=self.address, contact=f"user.{DOMAINS}@{DOMAIN}")], self.root)
        self.milliseconds([f"/provisioning/token.{self.accounts - 1}"], {})
        subprocess.run(
            ["curl", "--silent", "--fail", "--output", "/dev/null", "--digest", "--user", f"user.{USER}:secret", "--header",
             f"From: sip:{self.address}", f"{self.deployment.url}/api/accounts/me"], check=True)
        lines = pathlib.Path(self.deployment.log.name).read_text().splitlines()
        # What is said before the settings are read is not JSON.
        events = [json.loads(line) for line in lines if line.startswith("{")]
        return [event["pg.message"] for event in events if "Query Text" in event.get("pg.message", "")]

    def small_tables(self):
        return set(self.deployment.postgres(
            "psql", "--tuples-only", "--no-align", "--command", f"\\connect \"{self.deployment.database}\"", "--command",
            f"SELECT relname FROM pg_class WHERE relkind = 'r' AND relpages <= {SMALL_PAGES}").split())

    # MARK: One after another

    def milliseconds(self, targets, headers):
        """The median time of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.deployment.port, timeout=60)
        times = []
        for target in targets:
            begun = time.monotonic()
            connection.request("GET", target, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            times.append((time.monotonic() - begun) * 1000)
            if answer.status != 200:
                raise Failure(f"{target}: {answer.status} {body[:200]}")
        connection.close()
        return statistics.median(times)

    def provisioning(self, first):
        """Each token is good for one answer."""
        tokens = [f"/provisioning/token.{number}" for number in range(first, first + 2 * ONES, 2)]
        return self.milliseconds(tokens, {})


def headers(number):
    domain = DOMAIN if number % DOMAINS == 0 else f"d{number % DOMAINS}.example.org"
    return {"From": f"sip:user.{number}@{domain}", "x-api-key": f"key.{number}"}


def answer(challenge, number, target):
    """The `Authorization` value (RFC 7616, 3.4)."""
    given = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge.removeprefix("Digest ")))

    def sha256(text):
        return hashlib.sha256(text.encode()).hexdigest()

    ha1, ha2 = sha256(f"user.{number}:{given['realm']}:secret"), sha256(f"GET:{target}")
    response = sha256(f"{ha1}:{given['nonce']}:00000001:c:auth:{ha2}")
    return (f'Digest username="user.{number}", realm="{given["realm"]}", nonce="{given["nonce"]}", uri="{target}", '
            f'algorithm=SHA-256, response="{response}", opaque="{given["opaque"]}", qop=auth, nc=00000001, cnonce="c"')


def cpu(processes):
    """Seconds of user and system time."""
    total = 0
    for process in processes:
        with contextlib.suppress(FileNotFoundError):
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / CLOCK_TICK


class Bare:
    """The program that answers `pong` and does nothing else."""

    def __init__(self, program):
        self.port = free_port()
        self.process = subprocess.Popen([program, "--port", str(self.port)])

    def load(self, seconds):
        url = f"http://127.0.0.1:{self.port}/api/ping"
        for _ in range(100):
            with contextlib.suppress(OSError), contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port)) as connection:
                connection.connect()
                break
            time.sleep(0.1)
        run = ["wrk", "--threads", "2", "--connections", str(CONNECTIONS), "--duration"]
        subprocess.run([*run, "1s", url], stdout=subprocess.DEVNULL, check=True)
        before = cpu([self.process.pid])
        output = subprocess.run([*run, f"{seconds}s", url], stdout=subprocess.PIPE, text=True, check=True).stdout
        count = int(re.search(r"(\d+) requests in", output)[1])
        rate = float(re.search(r"Requests/sec: +([\d.]+)", output)[1])
        return Load(rate, (cpu([self.process.pid]) - before) / count * 1e6, 0)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("configuration")
    parser.add_argument("cluster")
    parser.add_argument("bare", help="the program BarePong")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="of each run of wrk")
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    arguments = parser.parse_args()
    try:
        with contextlib.ExitStack() as stack:
            sites = []
            for accounts in (arguments.small, arguments.large):
                deployment = stack.enter_context(Deployment(arguments.configuration, arguments.cluster, SETTINGS))
                sites.append(Site(deployment, accounts))
                sites[-1].fill()
                deployment.start()
                stack.callback(deployment.stop)
            bare = Bare(arguments.bare)
            stack.callback(bare.stop)
            measure(sites, bare, arguments)
            explain(sites[-1])
    except Failure as failure:
        sys.exit(f"bench: {failure}")


def measure(sites, bare, arguments):
    rounds = [one_round(sites, bare, arguments.seconds, number) for number in range(arguments.rounds)]
    loads = {name: [each["loads"][name] for each in rounds] for name in rounds[0]["loads"]}
    for name, runs in loads.items():
        report("", f"{name}: requests a second", None, "", [run.rate for run in runs])
        report("", f"{name}: CPU of the server a request", None, " us", [run.server for run in runs])
        if any(run.database for run in runs):
            report("", f"{name}: CPU of PostgreSQL a request", None, " us", [run.database for run in runs])
    small, large = (f"{site.accounts:,}" for site in sites)

    def ratio(measure, first, second):
        return [measure(a) / measure(b) for a, b in zip(loads[first], loads[second])]

    for size in (small, large):
        report("P6", f"info / ping, requests a second, {size}", 0.70, "", ratio(lambda run: run.rate, f"info, {size}", f"ping, {size}"),
               at_least=True)
    report("P7", "ping / bare pong, CPU of the server", 1.25, "", ratio(lambda run: run.server, f"ping, {small}", "bare pong"))
    for size in (small, large):
        report("P8", f"me by key / info, CPU, {size}", 1.6, "", ratio(lambda run: run.cpu, f"me by key, {size}", f"info, {size}"))
    times = {name: [each["times"][name] for each in rounds] for name in rounds[0]["times"]}
    for name in ("page 1", "page half-way", "last page"):
        report("P9", f"list of all, {name}, {large}", 100, " ms", times[f"{name}, {large}"])
    for number, name in (("P9", "page after an id"), ("P10", "provisioning"), ("P10", "statistics"), ("P10", "search")):
        pairs = zip(times[f"{name}, {large}"], times[f"{name}, {small}"])
        report(number, f"{name}: {large} / {small}", 1.2, "", [a / b for a, b in pairs])


def explain(site):
    small = site.small_tables()

    def whole_tables(plan):
        return set(re.findall(r"Seq Scan on (\w+)", plan)) - small

    for mode in ("force_custom_plan", "force_generic_plan"):
        plans = site.plans(mode)
        whole = [plan for plan in plans if whole_tables(plan) and not any(text in plan for text in COUNTS)]
        if len(plans) < len(EXPLAINED):
            raise Failure(f"only {len(plans)} statements were explained")
        if whole:
            tables = ", ".join(sorted(set().union(*map(whole_tables, whole))))
            raise Failure(f"with {site.accounts:,} accounts whole tables are read ({tables}), as by\n" + whole[0])
        print(f"     {len(plans)} statements at {site.accounts:,} accounts with {mode}: none reads a whole table", flush=True)


def one_round(sites, bare, seconds, number):
    loads, times = {"bare pong": bare.load(seconds)}, {}
    for site in sites:
        size = f"{site.accounts:,}"
        print(f"     round {number + 1}, {size} accounts", file=sys.stderr, flush=True)
        for name, (target, headers) in site.requests.items():
            loads[f"{name}, {size}"] = site.load(target, headers, seconds)
        loads[f"me by digest, {size}"] = site.digest(seconds)
    # The two take turns, so that what else the machine does meets them both.
    for site in sites:
        size, pages = f"{site.accounts:,}", site.accounts // 20
        ids = [account_id(site.accounts * step // ONES) for step in range(ONES)]
        times[f"page 1, {size}"] = site.milliseconds(["/api/accounts"] * 10, site.root)
        times[f"page half-way, {size}"] = site.milliseconds([f"/api/accounts?page={pages // 2}"] * 10, site.root)
        times[f"last page, {size}"] = site.milliseconds([f"/api/accounts?page={pages}"] * 10, site.root)
        times[f"page after an id, {size}"] = site.milliseconds([f"/api/accounts?after={id}" for id in ids], site.root)
        times[f"statistics, {size}"] = site.milliseconds(["/api/statistics/month"] * 50, site.root)
        addresses = [f"user.{number}@{DOMAIN}" for number in range(0, site.accounts, DOMAINS)][::max(1, site.accounts // DOMAINS // 100)]
        times[f"search, {size}"] = site.milliseconds([f"/api/accounts/{name}/search" for name in addresses], site.root)
        times[f"provisioning, {size}"] = site.provisioning(1 + number * 2 * ONES)
    return {"loads": loads, "times": times}


if __name__ == "__main__":
    main()
