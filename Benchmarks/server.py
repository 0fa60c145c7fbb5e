"""Measures the server as a whole and prints each figure beside its target (README.md)."""

import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from deployment import ADMIN, UNLIMITED, Deployment, Failure  # noqa: E402
from report import report  # noqa: E402

CONNECTIONS = 64
PIECE_SECONDS = 10
LOAD_LIMIT_SECONDS = 900
SETTLE_LIMIT_SECONDS = 30


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("configuration")
    parser.add_argument("cluster")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--requests", type=int, default=1_000_000)
    arguments = parser.parse_args()
    try:
        with Deployment(arguments.configuration, arguments.cluster, UNLIMITED) as deployment:
            starts = [start(deployment) for _ in range(max(5, arguments.runs))]
            report("P12", "start to first answer", 300, " ms", starts)
            idle, growth, rates = zip(*[memory(deployment, arguments.requests) for _ in range(arguments.runs)])
            report("P11", "idle resident memory", 50, " MB", idle)
            report("P11", f"growth after {arguments.requests:,} requests", 5, " MB", growth)
            print(f"     load of P11: {statistics.median(rates):,.0f} requests/s")
    except Failure as failure:
        sys.exit(f"bench: {failure}")


def start(deployment):
    """Milliseconds."""
    seconds = deployment.start()
    stop(deployment)
    return seconds * 1000


def memory(deployment, count):
    """Megabytes when idle, megabytes more after the load, and requests a second."""
    deployment.start()
    key = deployment.api_key()
    before = settled(deployment)
    rate = load(deployment, key, count)
    after = settled(deployment)
    stop(deployment)
    return before / 1024, (after - before) / 1024, rate


def load(deployment, key, count):
    begun = time.monotonic()
    answered = 0
    while answered < count:
        if time.monotonic() - begun > LOAD_LIMIT_SECONDS:
            raise Failure(f"only {answered:,} requests within {LOAD_LIMIT_SECONDS} s")
        done = subprocess.run(
            ["wrk", "--threads", "2", "--connections", str(CONNECTIONS), "--duration", f"{PIECE_SECONDS}s",
             "--script", HERE / "requests.lua", deployment.url, "--", ADMIN, key],
            stdout=subprocess.PIPE, text=True, check=True)
        if refused := re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", done.stdout):
            raise Failure(f"the load was not answered: {refused.group(0)}; {deployment.last_error()}")
        deployment.forget_log()
        answered += int(re.search(r"(\d+) requests in", done.stdout).group(1))
    return answered / (time.monotonic() - begun)


def settled(deployment):
    """Kilobytes once they have not changed for two seconds."""
    deadline = time.monotonic() + SETTLE_LIMIT_SECONDS
    last, since = deployment.resident_kilobytes(), time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - since < 2:
        time.sleep(0.1)
        if (now := deployment.resident_kilobytes()) != last:
            last, since = now, time.monotonic()
    return last


def stop(deployment):
    if (status := deployment.stop()) != 0:
        raise Failure(f"FlexiServer ended with {status} after SIGTERM")


if __name__ == "__main__":
    main()
