"""Debian's Kamailio authenticates accounts of the server, and phones registered there get messages and are listed as devices."""

import concurrent.futures
import json
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from deployment import DOMAIN, Failure, free_udp_port, with_database

LIMIT_SECONDS = 60
SCHEMA = pathlib.Path("/usr/share/kamailio/postgres")


class Neighbours:
    """Kamailio with a database of its own, phones, and the settings by which a server finds them."""

    def __init__(self, deployment):
        self.deployment = deployment
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sip-"))
        self.database = f"{deployment.database}_kamailio"
        self.port = free_udp_port()
        self.messenger_socket = pathlib.Path(tempfile.gettempdir()) / f"messenger-{os.getpid()}"
        self.kamailio = None
        self.phones = []
        self.settings = {}

    def check(self, deployment):
        return check(deployment, self)

    def url(self, role, database):
        return with_database(self.deployment.postgres("url", role).strip(), database)

    def __enter__(self):
        self.deployment.psql("--command", f'CREATE DATABASE "{self.database}"')
        try:
            self.deployment.psql(
                "--command", f'\\connect "{self.database}"',
                "--file", SCHEMA / "standard-create.sql", "--file", SCHEMA / "usrloc-create.sql",
                # All that FlexiServer needs.
                "--command", "GRANT SELECT, DELETE ON location TO flexi_app")
        except BaseException:
            self.__exit__()
            raise
        self.settings = {
            "APP_LINPHONE_DAEMON_UNIX_PATH": str(self.messenger_socket),
            "REGISTRAR": "kamailio",
            "REGISTRAR_URL": self.url("app", self.database),
        }
        self.deployment.environment.update(self.settings)
        return self

    def start(self):
        configuration = self.folder / "kamailio.cfg"
        accounts, environment = kamailio_url(self.url("sip", self.deployment.database))
        locations, _ = kamailio_url(self.url("superuser", self.database))
        text = (pathlib.Path(__file__).parent / "kamailio.cfg").read_text()
        configuration.write_text(text.replace("ACCOUNTS_URL", f'"{accounts}"').replace("LOCATIONS_URL", f'"{locations}"'))
        log = open(self.folder / "kamailio.log", "wb")
        self.kamailio = subprocess.Popen(
            ["kamailio", "-f", configuration, "-l", f"udp:127.0.0.1:{self.port}", "-DD", "-E", "-m", "32", "-M", "8",
             "-Y", self.folder, "-w", self.folder],
            env={**os.environ, **environment, "PATH": f"{os.environ['PATH']}:/usr/sbin"},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def phone(self, username, password, name):
        phone = Phone(self, username, password, name)
        self.phones.append(phone)
        phone.start()
        return phone

    def __exit__(self, *_):
        for name in self.settings:
            self.deployment.environment.pop(name)
        for phone in self.phones:
            phone.stop()
        if self.kamailio is not None:
            self.kamailio.terminate()
            self.kamailio.wait(timeout=30)
        self.deployment.psql("--command", f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
        shutil.rmtree(self.folder)

    def log_tail(self):
        return (self.folder / "kamailio.log").read_text(errors="replace")[-2000:]


class Phone:
    """A linphone-daemon that registers at Kamailio."""

    def __init__(self, neighbours, username, password, name):
        self.home = neighbours.folder / name
        # Without this folder the library does not start.
        (self.home / ".local/share/linphone").mkdir(parents=True)
        self.socket = neighbours.messenger_socket.with_name(f"{name}-{os.getpid()}")
        self.process = None
        proxy = f"<sip:127.0.0.1:{neighbours.port};transport=udp>"
        (self.home / "rc").write_text("\n".join((
            "[sip]", f"sip_port={free_udp_port()}", "sip_tcp_port=0", "sip_tls_port=0", "default_proxy=0",
            "[proxy_0]", f"reg_proxy={proxy}", f"reg_route={proxy}", f"reg_identity=<sip:{username}@{DOMAIN}>",
            "reg_expires=600", "reg_sendregister=1",
            "[auth_info_0]", f"username={username}", f"domain={DOMAIN}", f"passwd={password}", "")))

    def start(self):
        with open(self.home / "events", "wb") as events:
            self.process = subprocess.Popen(
                ["linphone-daemon", "--config", self.home / "rc", "--pipe", self.socket.name],
                env={**os.environ, "HOME": str(self.home)}, cwd=self.home,
                stdin=subprocess.DEVNULL, stdout=events, stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)

    def ask(self, command):
        """Asks the daemon, again where it has not noticed yet that its last client left."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < deadline:
            try:
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(str(self.socket))
                    client.sendall(f"{command}\n".encode())
                    if answer := client.recv(65_536):
                        return answer.decode()
            except (ConnectionError, FileNotFoundError):
                pass
            time.sleep(0.1)
        raise Failure(f"linphone-daemon does not answer to {command}")

    def received(self, text):
        """Whether a message with that text has come: without a client the daemon prints its events."""
        events = (self.home / "events").read_text(errors="replace").split("Event-type: ")
        return any(event.startswith("message-received") and f'Content: "{text}"' in event for event in events)


def check(deployment, neighbours):
    key = deployment.api_key()
    accounts = {}
    for username in ("messenger", "bobby_kamailio"):
        accounts[username] = secrets.token_hex(8)
        deployment.create_account(key, username, accounts[username], "MD5", activated=True)
    bob = f"bobby_kamailio@{DOMAIN}"
    neighbours.start()

    intruder = neighbours.phone("bobby_kamailio", "not the password", "intruder")
    desk = neighbours.phone("bobby_kamailio", accounts["bobby_kamailio"], "desk")
    mobile = neighbours.phone("bobby_kamailio", accounts["bobby_kamailio"], "mobile")
    neighbours.phone("messenger", accounts["messenger"], "messenger")

    def devices():
        return call(deployment, "GET", "/api/accounts/me/devices", bob, accounts["bobby_kamailio"])

    wait_until(lambda: len(devices()) == 2, "two devices are registered", neighbours)
    listed = devices()
    for uuid, device in listed.items():
        if not uuid.startswith("urn:uuid:") or device["uuid"] != uuid or not device["user_agent"].startswith("Unknown"):
            raise Failure(f"a device of linphone-daemon is shown as {device}")
    yield f"two linphone-daemons registered at Kamailio as {bob}, by the view sip.subscriber, are listed:"
    yield from (f"    {uuid}: {device['user_agent']}, until {device['expires_at']}" for uuid, device in listed.items())
    wait_until(
        lambda: "State: LinphoneRegistrationFailed" in intruder.ask("register-status 1"), "a wrong password is refused",
        neighbours)
    yield "a third one with a wrong password was not let in"

    # Line breaks, quotes, and what would be a command if it stood on a line of its own.
    text = f"Say \"{secrets.token_hex(4)}\" é\u2028quit"
    answer = send(deployment, key, bob, text.replace("\u2028", "\n"))
    yield f"a message posted through the API was taken: {answer}"
    for name, phone in (("desk", desk), ("mobile", mobile)):
        wait_until(lambda: phone.received(text), f"the {name} phone has the message", neighbours)
    yield f"both phones of {bob} received it"

    uuids = {uuid_of(phone): phone for phone in (desk, mobile)}
    if set(uuids) != set(listed):
        raise Failure(f"listed are {set(listed)}, and the phones call themselves {set(uuids)}")
    call(deployment, "DELETE", f"/api/accounts/me/devices/{uuid_of(desk)}", bob, accounts["bobby_kamailio"])
    if list(devices()) != [uuid_of(mobile)]:
        raise Failure(f"after one of two was deleted, the devices are {devices()}")
    second = f"again {secrets.token_hex(4)}"
    send(deployment, key, bob, second)
    wait_until(lambda: mobile.received(second), "the phone that is left has the second message", neighbours)
    if desk.received(second):
        raise Failure("Kamailio still calls the device that was deleted")
    yield "one device was deleted: a second message reached the other one alone"

    # The daemon hangs up on who comes before it has noticed that the last client left.
    texts = [f"number {number} {secrets.token_hex(4)}" for number in range(10)]
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda text: send(deployment, key, bob, text), texts))
    wait_until(lambda: all(mobile.received(text) for text in texts), "ten messages at once arrive", neighbours)
    yield "ten messages posted by five callers at once arrived"


def send(deployment, key, address, text):
    request = urllib.request.Request(
        f"{deployment.url}/api/messages", data=json.dumps({"to": f"sip:{address}", "body": text}).encode(), method="POST",
        headers={"Content-Type": "application/json", "x-api-key": key})
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            # The messenger may still be starting.
            if error.code != 503 or time.monotonic() > deadline:
                raise Failure(f"POST /api/messages: {error.code} {error.read().decode()}") from None
            time.sleep(0.2)


def call(deployment, method, path, address, password):
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail-with-body", "--digest", "--user",
         f"{address.split('@')[0]}:{password}", "--header", f"From: sip:{address}", "--request", method,
         f"{deployment.url}{path}"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failure(f"{method} {path}: {done.stdout.strip()}")
    return json.loads(done.stdout)


def uuid_of(phone):
    """The instance id that the client has made for itself, and writes down when it has time to."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        for line in (phone.home / "rc").read_text().splitlines():
            if line.startswith("uuid="):
                return f"urn:uuid:{line.removeprefix('uuid=')}"
        time.sleep(0.2)
    raise Failure("linphone-daemon has no uuid in its configuration")


def wait_until(condition, what, neighbours):
    deadline = time.monotonic() + LIMIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"not within {LIMIT_SECONDS} s: {what}; Kamailio's log: {neighbours.log_tail()}")
        time.sleep(0.2)


def kamailio_url(url):
    """A URL as Kamailio reads it, and the variables that say the rest: it has no place for the folder of a socket."""
    parts = urllib.parse.urlsplit(url)
    query = {name: values[0] for name, values in urllib.parse.parse_qs(parts.query).items()}
    user = query.get("user") or parts.username or ""
    host = query.get("host") or parts.hostname or ""
    port = query.get("port") or str(parts.port or 5432)
    password = f":{parts.password}" if parts.password else ""
    return f"postgres://{user}{password}@/{parts.path.lstrip('/')}", {"PGHOST": host, "PGPORT": port}
