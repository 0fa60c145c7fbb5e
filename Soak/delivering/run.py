"""Runs servers whose mails are held up in every way, and counts the mails that arrive."""

import concurrent.futures
import itertools
import json
import pathlib
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))

from deployment import ADMIN, Deployment, Failure  # noqa: E402
from mail_server import MailServer, code_of  # noqa: E402

DEADLINE_SECONDS = 5
ARRIVAL_LIMIT_SECONDS = 300
MAILS_BEFORE_A_KILL = 3
# How long any request may take while a neighbour is silent; they take milliseconds.
REQUEST_LIMIT_SECONDS = 5


class Clients:
    """Asks for mails as the administrator does."""

    def __init__(self, deployment, key):
        self.deployment = deployment
        self.headers = {"Content-Type": "application/json", "From": f"sip:{ADMIN}", "x-api-key": key}
        self.numbers = itertools.count(1)

    def ask_for_mail(self):
        """Returns the address that a mail was promised to; `None` when no answer came, or that the service is not available."""
        address = f"mail{next(self.numbers)}@example.org"
        try:
            self.post("/api/accounts/me/email/request", {"email": address})
        except OSError as error:
            if isinstance(error, urllib.error.HTTPError) and error.code != 503:
                raise Failure(f"asking for a mail was answered {error.code}: {error.read()}") from None
            return None
        return address

    def post(self, path, body, timeout=30):
        request = urllib.request.Request(
            self.deployment.url + path, data=json.dumps(body).encode(), method="POST", headers=self.headers)
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.read()

    def get(self, path):
        with urllib.request.urlopen(self.deployment.url + path, timeout=30) as answer:
            return answer.read().decode()


def wait_until(what, condition):
    end = time.monotonic() + ARRIVAL_LIMIT_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"after {ARRIVAL_LIMIT_SECONDS} s still not: {what}")
        time.sleep(0.1)


def kill_servers(deployment, mail, clients, kills):
    """SIGKILL right after mails were promised; nothing is lost, and nothing comes twice without a kill in between."""
    promised, killed_at = set(), []
    for _ in range(kills):
        deployment.start()
        for _ in range(MAILS_BEFORE_A_KILL):
            promised.add(clients.ask_for_mail())
        time.sleep(random.uniform(0, 0.03))
        killed_at.append(time.time())
        deployment.process.kill()
        deployment.process.wait()
        deployment.process = None
    promised.discard(None)
    deployment.start()
    wait_until("every promised mail has arrived", lambda: promised <= mail.arrivals().keys())
    wait_until("nothing is pending", lambda: not outbox(deployment, "pending"))
    repeated = 0
    for address, times in mail.arrivals().items():
        for first, second in zip(times, times[1:]):
            repeated += 1
            if not any(first - 0.5 <= kill <= second for kill in killed_at):
                raise Failure(f"{address} got a mail twice, and no server was killed in between")
    if outbox(deployment, "dead"):
        raise Failure("messages were given up")
    yield (f"{kills} servers killed after promising {len(promised)} mails: all arrived, {repeated} of them once more, each "
           "of these by a server that was killed before it could write down that the mail had been taken")


def work_a_link(mail, clients):
    """The newest mail's link makes its address the account's."""
    address = clients.ask_for_mail()
    wait_until("the mail has arrived", lambda: address in mail.arrivals())
    taken = next(taken for taken in reversed(mail.taken) if taken["to"] == [address])
    path = f"/email/{code_of(taken)}"
    page = clients.get(path)
    if "<form method=\"post\">" not in page:
        raise Failure("the page behind a link has no button")
    clients.post(path, {})
    request = urllib.request.Request(clients.deployment.url + "/api/accounts/me", headers=clients.headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        email = json.load(answer)["email"]
    if email != address:
        raise Failure(f"after the link of the mail to {address} was used the account has {email}")
    yield "the link of a mail, followed, gave the account its new address"


def take_the_mail_server_away(deployment, mail, clients, seconds):
    mail.stop()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        promised = set(pool.map(lambda _: clients.ask_for_mail(), range(50))) - {None}
    time.sleep(seconds)
    if promised & mail.arrivals().keys():
        raise Failure("mails arrived at a server that was away")
    begun = time.monotonic()
    mail.start()
    wait_until("every promised mail has arrived", lambda: promised <= mail.arrivals().keys())
    took = time.monotonic() - begun
    wait_until("nothing is pending", lambda: not outbox(deployment, "pending"))
    if any(len(mail.arrivals()[address]) != 1 for address in promised):
        raise Failure("mails arrived more than once")
    yield f"the mail server was away for {seconds} s: {len(promised)} mails arrived, each once, within {took:.0f} s of its return"


def be_refused(deployment, mail, clients):
    mail.stop()
    mail.start("--refuse-recipient", "550 5.1.1 nobody of that name")
    if clients.ask_for_mail() is None:
        raise Failure("asking for a mail was not answered")
    wait_until("the message is given up", lambda: outbox(deployment, "dead"))
    (line,) = outbox(deployment, "dead")
    if not line.endswith("\t550 5.1.1 nobody of that name"):
        raise Failure(f"the message was given up as: {line}")
    mail.stop()
    mail.start()
    subprocess.run(
        [deployment.programs / "FlexiServer", "outbox", "retry", "--dead"], env=deployment.environment, check=True,
        stdout=subprocess.DEVNULL)
    wait_until("it was delivered after all", lambda: not outbox(deployment, "dead") and not outbox(deployment, "pending"))
    yield "a refusal for good was kept in the server's words, and the mail arrived when it was tried again by command"


def measure(clients, mails):
    """Milliseconds of requests that ask for nothing, while others ask for mails."""
    stop = threading.Event()
    asked = []

    def ask():
        while not stop.is_set():
            begun = time.monotonic()
            clients.ask_for_mail()
            asked.append(time.monotonic() - begun)
            stop.wait(0.02)

    asker = threading.Thread(target=ask)
    if mails:
        asker.start()
    others = []
    for _ in range(500):
        begun = time.monotonic()
        clients.get(f"/api/accounts/{ADMIN}/info")
        others.append(time.monotonic() - begun)
    stop.set()
    if mails:
        asker.join()
    return others, asked


def speak_to_silence(deployment, mail, clients):
    """A mail server that takes connections and says nothing."""
    calm, _ = measure(clients, mails=False)
    busy, _ = measure(clients, mails=True)
    wait_until("nothing is pending", lambda: not outbox(deployment, "pending"))
    mail.stop()
    with socket.create_server(("127.0.0.1", mail.port), backlog=128):
        silent, asked = measure(clients, mails=True)
        if not outbox(deployment, "pending"):
            raise Failure("no message waits for the silent server")
    mail.start()
    slowest = max(silent + asked)
    if slowest > REQUEST_LIMIT_SECONDS:
        raise Failure(f"a request took {slowest:.1f} s while the mail server was silent")

    def shown(times):
        return f"{1000 * statistics.median(times):.1f} ms, 99 of 100 below {1000 * statistics.quantiles(times, n=100)[98]:.1f}"

    yield f"requests for account info: {shown(calm)}; while mails are asked for: {shown(busy)}"
    yield f"the same while the mail server is silent: {shown(silent)}; the requests that ask for mails: {shown(asked)}"
    wait_until("nothing is pending", lambda: not outbox(deployment, "pending"))


def outbox(deployment, state):
    """The lines that operators are shown."""
    done = subprocess.run(
        [deployment.programs / "FlexiServer", "outbox", "list", "--state", state, "--limit", "100000"],
        env=deployment.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failure(f"outbox list ended with {done.returncode}: {done.stderr}")
    return done.stdout.splitlines()


def main():
    configuration, cluster, kills = sys.argv[1], sys.argv[2], int(sys.argv[3])
    mail = MailServer()
    mail.start()
    settings = {
        "MAIL_DRIVER": "smtp", "MAIL_HOST": "127.0.0.1", "MAIL_PORT": str(mail.port), "MAIL_ENCRYPTION": "none",
        "MAIL_FROM_ADDRESS": "service@example.org", "OUTBOX_DEADLINE_SECONDS": str(DEADLINE_SECONDS),
        "RATE_LIMIT_PER_MINUTE": "0", "RATE_LIMIT_MAIL_PER_MINUTE": "0", "RATE_LIMIT_INFO_PER_MINUTE": "0",
    }
    try:
        with Deployment(configuration, cluster, settings) as deployment:
            deployment.start()
            clients = Clients(deployment, deployment.api_key())
            try:
                for part in (
                    work_a_link(mail, clients),
                    stopped(deployment, kill_servers(deployment, mail, clients, kills)),
                    take_the_mail_server_away(deployment, mail, clients, 60),
                    be_refused(deployment, mail, clients),
                    speak_to_silence(deployment, mail, clients),
                ):
                    for line in part:
                        print(line, flush=True)
            except Exception:
                print(deployment.log_tail(), file=sys.stderr)
                raise
            if (status := deployment.stop()) != 0:
                raise Failure(f"FlexiServer ended with {status} after SIGTERM")
    except Failure as failure:
        sys.exit(f"outbox: {failure}")
    finally:
        mail.stop()


def stopped(deployment, part):
    """The part starts its servers itself."""
    deployment.stop()
    yield from part


if __name__ == "__main__":
    main()
