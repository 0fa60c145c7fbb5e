"""Measures what a DBA waits for, and prints it beside what it should be. A machine that is busy is slow: only what must not happen at
all is an error here."""

import pathlib
import signal
import statistics
import subprocess
import tempfile
import threading
import time

from files import directory_of, many_files
from server import Failure

INTERRUPTED = 8


def run(server, durable_server, rounds):
    """`durable_server` is one with fsync, as a database that matters has it."""
    for measure in (concurrent_index, lock_queue, interruption, status_meanwhile, nothing_to_do):
        with_database(server, measure)
    many(server, rounds, "on the throw-away server")
    many(durable_server, rounds, "with fsync")


def with_database(server, measure):
    server.create("soak_times")
    try:
        measure(server, "soak_times")
    finally:
        server.drop("soak_times")


def say(what, seconds, target):
    print(f"times: {what}: {seconds * 1000:.0f} ms ({target})", flush=True)


TABLE = {
    "1_table.sql": """
        CREATE TABLE big (id bigint CONSTRAINT big_pkey PRIMARY KEY, name text);
        INSERT INTO big SELECT i, 'n' || i FROM generate_series(1, 200000) AS i;
    """
}


def concurrent_index(server, database):
    """Two runs at once, one of which builds an index concurrently, beside one run alone."""
    index = {**TABLE, "2_index.sql": "-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY big_name_idx ON big (name);"}
    with directory_of(TABLE) as before, directory_of(index) as after:
        server.up(database, before)
        alone = server.up(database, after)
        server.psql(database, "DROP INDEX big_name_idx; DELETE FROM migrate.journal; DELETE FROM migrate.ledger WHERE version = 2")
        took = []
        runs = [threading.Thread(target=lambda: took.append(server.up(database, after))) for _ in range(2)]
        for thread in runs:
            thread.start()
        for thread in runs:
            thread.join()
        if len(took) != 2 or server.psql(database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'big_name_idx'::regclass") != "t":
            raise Failure("two runs at once did not leave a valid index")
        say("two runs with CREATE INDEX CONCURRENTLY, more than one alone", max(took) - alone, "at most 1000 ms")


def lock_queue(server, database):
    """A hundred reads a second while a table is altered behind a reader of three seconds."""
    change = {**TABLE, "2_column.sql": "ALTER TABLE big ADD COLUMN note text;"}
    with directory_of(TABLE) as before, directory_of(change) as after, tempfile.TemporaryDirectory() as folder:
        server.up(database, before)
        script = pathlib.Path(folder, "read.sql")
        script.write_text("SELECT name FROM big WHERE id = 1;\n")
        load = subprocess.Popen(
            ["pgbench", "-n", "-f", str(script), "-R", "100", "-c", "4", "-T", "8", "-l", "--log-prefix", "latency",
             server.conninfo(database)], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        reader = threading.Thread(
            target=lambda: server.psql(database, "BEGIN; SELECT count(*) FROM big; SELECT pg_sleep(3); COMMIT"))
        reader.start()
        time.sleep(0.3)
        took = server.up(database, after)
        reader.join()
        if load.wait() != 0:
            raise Failure("pgbench failed")
        # The third column is the latency of a transaction in microseconds, the last one the lag behind its schedule.
        latencies = [int(line.split()[2]) / 1e6 for log in pathlib.Path(folder).glob("latency*")
                     for line in log.read_text().splitlines()]
        say("longest read while ALTER TABLE waits for a reader of 3 s", max(latencies), "at most 150 ms")
        say("that ALTER TABLE", took, "as long as the reader, and a little")


def interruption(server, database):
    with directory_of({"1_long.sql": "CREATE TABLE a (); SELECT pg_sleep(60);"}) as directory:
        process = server.migrate(database, directory, "up")
        wait_until(server, database, "SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()")
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
        if process.returncode != INTERRUPTED or server.psql(database, "SELECT to_regclass('a') IS NULL") != "t":
            raise Failure(f"SIGTERM ended with {process.returncode}: {output}")
        say("SIGTERM during a statement of 60 s", time.monotonic() - start, "at most 2000 ms")


def status_meanwhile(server, database):
    with directory_of({"1_long.sql": "CREATE TABLE a (); SELECT pg_sleep(5);"}) as directory:
        process = server.migrate(database, directory, "up")
        wait_until(server, database, "SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(5)%' AND state = 'active' AND pid <> pg_backend_pid()")
        start = time.monotonic()
        with server.migrate(database, directory, "status") as status:
            output, _ = status.communicate(timeout=60)
        say("status while a migration runs", time.monotonic() - start, "at most 100 ms")
        if "1_long.sql" not in output:
            raise Failure(f"status does not tell which file is at work: {output}")
        process.communicate(timeout=60)


def nothing_to_do(server, database):
    with many_files(20) as directory:
        server.up(database, directory)
        say("up with nothing to do, median of 11", statistics.median(server.up(database, directory) for _ in range(11)),
            "below 100 ms")


def wait_until(server, database, condition):
    while server.psql(database, condition) != "t":
        time.sleep(0.01)


def many(server, rounds, where):
    """300 files on an empty database, by migrate and by psql with one transaction a file, in turns."""
    by_migrate, by_psql = [], []
    with many_files(300) as directory:
        arguments = [part for path in sorted(pathlib.Path(directory).iterdir())
                     for part in ("-c", "BEGIN", "-f", str(path), "-c", "COMMIT")]
        for _ in range(rounds):
            for measure in (by_migrate, by_psql):
                server.create("soak_many", is_durable=False)
                try:
                    if measure is by_migrate:
                        measure.append(server.up("soak_many", directory))
                    else:
                        start = time.monotonic()
                        subprocess.run(
                            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *arguments, server.conninfo("soak_many")],
                            check=True, stdout=subprocess.DEVNULL)
                        measure.append(time.monotonic() - start)
                finally:
                    server.drop("soak_many")
    ours, theirs = statistics.median(by_migrate), statistics.median(by_psql)
    print(f"times: 300 files {where}, median of {rounds}: migrate {ours * 1000:.0f} ms, psql {theirs * 1000:.0f} ms, "
          f"ratio {ours / theirs:.2f} (at most 1.20)", flush=True)

