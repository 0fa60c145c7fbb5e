"""A FlexiServer on a database of its own, for the programs that measure it or talk to it from outside."""

import base64
import json
import os
import pathlib
import secrets
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOMAIN = "sip.example.org"
ADMIN = f"admin_interop@{DOMAIN}"
START_LIMIT_SECONDS = 30
# One client sends more than the limits allow to anybody.
UNLIMITED = {
    f"RATE_LIMIT_{name}PER_MINUTE": "0" for name in ("", "AUTH_", "CODES_", "INFO_", "PUSH_", "SMS_", "MAIL_")
}


class Failure(Exception):
    """Says in one line what is wrong."""


class Deployment:
    """Creates the database, migrates it and makes an admin; `with` removes the database again."""

    def __init__(self, configuration, cluster, settings=None):
        self.programs = ROOT / ".build" / configuration
        self.cluster = cluster
        self.database = f"flexi_outside_{os.getpid()}_{secrets.token_hex(4)}"
        self.admin_password = secrets.token_hex(16)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ},
            "FLEXI_SECRET_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "FLEXI_ADMIN_PASSWORD": self.admin_password,
            "APP_SIP_DOMAIN": DOMAIN,
            "APP_URL": self.url,
            **(settings or {}),
        }
        self.process = None
        self.log = None

    def __enter__(self):
        self.psql("--command", f'CREATE DATABASE "{self.database}"')
        descriptor, name = tempfile.mkstemp(prefix="flexiserver-", suffix=".log")
        os.close(descriptor)
        # Opened by name, so that whoever writes to it appends.
        self.log = open(name, "ab")
        try:
            self.psql("--command", f'\\connect "{self.database}"', "--file", ROOT / "scripts/roles.sql")
            self.environment["DATABASE_URL"] = self.database_url("owner")
            self.run("migrate", "up")
            self.environment["DATABASE_URL"] = self.database_url("app")
            self.run("FlexiServer", "create-admin", ADMIN)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        self.psql("--command", f'DROP DATABASE "{self.database}" WITH (FORCE)')
        self.log.close()
        os.unlink(self.log.name)

    def psql(self, *arguments):
        self.postgres("psql", "--quiet", "--set=ON_ERROR_STOP=1", *arguments)

    def database_url(self, role):
        return with_database(self.postgres("url", role).strip(), self.database)

    def postgres(self, command, *arguments):
        done = subprocess.run(
            [ROOT / "scripts/postgres", command, self.cluster, *arguments], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Failure(f"scripts/postgres {command} ended with {done.returncode}")
        return done.stdout

    def run(self, program, *arguments):
        done = subprocess.run(
            [self.programs / program, *arguments], cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise Failure(f"{program} {arguments[0]} ended with {done.returncode}: {done.stdout.strip()}")
        return done.stdout

    def start(self):
        """Starts the server and returns the seconds until `/api/ping` was answered."""
        begun = time.monotonic()
        self.process = subprocess.Popen(
            [self.programs / "FlexiServer", "serve", "--hostname", "127.0.0.1", "--port", str(self.port)],
            cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        while time.monotonic() - begun < START_LIMIT_SECONDS:
            if self.process.poll() is not None:
                raise Failure(f"FlexiServer ended with {self.process.returncode}: {self.log_tail()}")
            try:
                with urllib.request.urlopen(f"{self.url}/api/ping", timeout=5) as answer:
                    if answer.read() == b"pong":
                        return time.monotonic() - begun
            except OSError:
                # Nobody listens yet; asked again at once, because this is what is measured.
                time.sleep(0.001)
        raise Failure(f"FlexiServer did not answer within {START_LIMIT_SECONDS} s: {self.log_tail()}")

    def stop(self):
        """Asks the server to end, as an init system does, and returns its exit status."""
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            status = self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure("FlexiServer did not end within 30 s of SIGTERM") from None
        finally:
            self.process = None
        return status

    def log_tail(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")[-2000:].strip()

    def last_error(self):
        """The newest line of the log that reports an error."""
        lines = pathlib.Path(self.log.name).read_text(errors="replace").splitlines()
        return next((line for line in reversed(lines) if '"level":"error"' in line), "no error in the log")

    def forget_log(self):
        """A million requests fill a disk; the server appends, so it goes on at the beginning."""
        os.truncate(self.log.name, 0)

    def resident_kilobytes(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise Failure("no VmRSS in /proc")

    def api_key(self):
        """A key of the admin, got by Digest with the password."""
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--fail", "--digest", "--user",
             f"{ADMIN.split('@')[0]}:{self.admin_password}", "--header", f"From: sip:{ADMIN}",
             f"{self.url}/api/accounts/me/api_key"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise Failure(f"no API key for the admin: {done.stdout.strip()}")
        return done.stdout.strip()

    def create_account(self, key, username, password, algorithm, **fields):
        """Creates an account as the admin and returns the API's JSON."""
        body = {"username": username, "password": password, "algorithm": algorithm, **fields}
        request = urllib.request.Request(
            f"{self.url}/api/accounts", data=json.dumps(body).encode(), method="POST",
            headers={"Content-Type": "application/json", "From": f"sip:{ADMIN}", "x-api-key": key})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def with_database(url, name):
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, "")).replace(
        f"{parts.scheme}:/{name}", f"{parts.scheme}:///{name}")


def free_udp_port():
    with socket.socket(type=socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
