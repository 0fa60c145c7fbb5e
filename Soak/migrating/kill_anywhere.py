"""Interrupts a run of a mixed set of files at points spread over all of its requests, and runs migrate again: once has to be enough."""

import collections
import random
import subprocess
import threading

from files import mixed_files
from proxy import Proxy
from server import Failure

KINDS = ("SIGKILL", "TCP cut", "backend terminated", "server stopped")
LIMIT_SECONDS = 180
# Half-way, and to be looked at by a person.
MANUAL = 9

LEDGER = """
    SELECT string_agg(format('%s %s %s %s %s %s/%s', version, slug, direction, state, encode(sha256, 'hex'), statements_done,
        statements_total), E'\\n' ORDER BY version, slug)
    FROM migrate.ledger"""
CATALOG = "SELECT encode(sha256, 'hex') FROM migrate.snapshot ORDER BY id DESC LIMIT 1"
ROWS = "SELECT string_agg(entry, ',' ORDER BY entry) FROM app.log"


def run(server, points, chosen=None):
    """`chosen` are those of the points that are tried, all by default."""
    chosen = range(points) if chosen is None else chosen
    random.seed(20260101)
    with mixed_files() as directory:
        requests, expected = reference(server, directory)
        print(f"kill anywhere: {requests} requests in an undisturbed run, {points} points", flush=True)
        codes = collections.Counter()
        for done, point in enumerate(chosen, 1):
            kind = KINDS[point % len(KINDS)]
            step = point // len(KINDS)
            steps = -(-points // len(KINDS))
            number = 1 + step * requests // steps
            moment = Proxy.MOMENTS[step % len(Proxy.MOMENTS)]
            code = None
            while code is None:
                where = f"point {point + 1}: {kind} {moment} request {number}"
                code = interrupt(server, directory, f"soak_{point}", kind, number, moment, expected, where)
                # Who watches a statement asks as long as it lasts, so that one run makes more requests than another.
                number -= 1
            codes[kind, code] += 1
            if done % 20 == 0:
                print(f"kill anywhere: {done} of {len(chosen)}", flush=True)
        for (kind, code), count in sorted(codes.items()):
            print(f"kill anywhere: {kind}: {count} interrupted runs ended with {code}")
        print(f"kill anywhere: running again came to the same catalog, ledger and rows, {len(chosen)} of {len(chosen)}", flush=True)


def reference(server, directory):
    """How many requests an undisturbed run makes, and what it leaves."""
    server.create("soak_reference")
    try:
        proxy = Proxy(server.sockets)
        try:
            process = server.migrate("soak_reference", directory, "up", sockets=proxy.folder)
            output, _ = process.communicate(timeout=LIMIT_SECONDS)
            if process.returncode != 0:
                raise Failure(f"an undisturbed run ended with {process.returncode}: {output}")
            return proxy.requests, state(server, "soak_reference", directory)
        finally:
            proxy.close()
    finally:
        server.drop("soak_reference")


def interrupt(server, directory, database, kind, number, moment, expected, where):
    """Returns the exit code of the interrupted run; None when it made too few requests to be interrupted."""
    server.create(database)
    struck = threading.Event()
    started = threading.Event()
    process = None

    def strike():
        started.wait()
        if kind == "SIGKILL":
            process.kill()
        elif kind == "TCP cut":
            proxy.cut()
        elif kind == "backend terminated":
            server.psql("postgres", f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
        else:
            server.crash()
        struck.set()

    proxy = Proxy(server.sockets, number, moment, strike)
    try:
        process = server.migrate(database, directory, "up", sockets=proxy.folder)
        started.set()
        try:
            first, _ = process.communicate(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failure(f"{where}: migrate did not end") from None
        if proxy.has_struck and not struck.wait(LIMIT_SECONDS):
            raise Failure(f"{where}: the interruption did not end")
        if process.returncode == MANUAL:
            raise Failure(f"{where}: migrate asked for a hand: {first.strip()}")
    finally:
        proxy.close()
    try:
        server.up(database, directory, "--lock-wait", "60s", "--wait", "30s")
        if (found := state(server, database, directory)) != expected:
            raise Failure(f"{where}: came to {found} instead of {expected}; the run had said: {first.strip()}")
    except Failure as failure:
        raise Failure(f"{where}: {failure}; the run had said: {first.strip()}") from None
    server.drop(database)
    return process.returncode if proxy.has_struck else None


def state(server, database, directory):
    with server.migrate(database, directory, "verify", "--no-scratch") as process:
        output, _ = process.communicate(timeout=LIMIT_SECONDS)
    if process.returncode != 0:
        raise Failure(f"verify ended with {process.returncode}: {output.strip()}")
    return tuple(server.psql(database, question) for question in (LEDGER, CATALOG, ROWS))
