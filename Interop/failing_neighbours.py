"""Programs beside the server that are down, slow or mad: what needs them is refused in time, and nothing else waits."""

import concurrent.futures
import contextlib
import http.client
import json
import pathlib
import shutil
import socket
import tempfile
import threading
import time

from deployment import Failure, free_port

TIMEOUT_SECONDS = 6
SLOW_SECONDS = 30
# How much later than the deadline an answer may come on a busy machine; not so much that there is time for two deadlines.
MARGIN_SECONDS = 5
CALLERS = 10
RUBBISH = b"\x00\xff*** rubbish ***\n"
STATES = ("down", "slow", "rubbish")


class StandIn:
    """Listens, and answers nobody for a long time, or with rubbish."""

    def __init__(self, listener, state):
        self.listener = listener
        self.state = state
        self.ended = threading.Event()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, contextlib.suppress(OSError):
            connection.recv(65_536)
            if self.state == "slow":
                self.ended.wait(SLOW_SECONDS)
            else:
                connection.sendall(RUBBISH)

    def stop(self):
        self.ended.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def check(deployment):
    """Starts the server anew for each state; it must not be running."""
    for state in STATES:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="nb-"))
        stand_ins = []
        try:
            for settings, requests in neighbours(folder, state, stand_ins):
                deployment.environment.update(settings)
                deployment.start()
                key = deployment.api_key()
                for name, method, path, body, message in requests:
                    yield measure(deployment, key, name, state, method, path, body, message)
                if (status := deployment.stop()) != 0:
                    raise Failure(f"FlexiServer ended with {status} after SIGTERM")
                for setting in settings:
                    deployment.environment.pop(setting)
        finally:
            for stand_in in stand_ins:
                stand_in.stop()
            shutil.rmtree(folder)


def neighbours(folder, state, stand_ins):
    """Settings, and the requests that need what they name: name, method, path, body of the nth caller, message of the 503."""

    def unix_socket(name):
        path = folder / name
        if state != "down":
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(path))
            listener.listen(64)
            stand_ins.append(StandIn(listener, state))
        return str(path)

    pusher = folder / "flexisip_pusher"
    if state != "down":
        then = f"exec sleep {SLOW_SECONDS}" if state == "slow" else "echo '*** rubbish ***'; exit 3"
        pusher.write_text(f"#!/bin/sh\n{then}\n")
        pusher.chmod(0o700)
    (folder / "pid").write_text("4711\n")
    unix_socket("flexisip-proxy-4711")
    common = {
        "NEIGHBOUR_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
    }
    devices = ("GET", "/api/accounts/me/devices", lambda _: None, "The SIP registrar does not answer; try again later.")
    yield common | {
        "APP_FLEXISIP_PUSHER_PATH": str(pusher), "APP_LINPHONE_DAEMON_UNIX_PATH": unix_socket("daemon"),
        "REGISTRAR": "flexisip", "APP_FLEXISIP_PROXY_PID": str(folder / "pid"), "FLEXISIP_SOCKET_DIRECTORY": str(folder),
    }, (
        ("flexisip_pusher", "POST", "/api/account_creation_tokens/send-by-push",
         lambda number: {"pn_provider": "fcm", "pn_param": "project", "pn_prid": f"device-{number}"},
         "The push notification could not be sent; try again later."),
        ("linphone-daemon", "POST", "/api/messages", lambda _: {"to": "bob@sip.example.org", "body": "Hello"},
         "The message could not be sent; try again later."),
        ("Flexisip's proxy", *devices),
    )

    port = free_port()
    if state != "down":
        listener = socket.create_server(("127.0.0.1", port), backlog=64)
        stand_ins.append(StandIn(listener, state))
    yield common | {
        "REGISTRAR": "kamailio", "REGISTRAR_URL": f"postgresql://kamailio@127.0.0.1:{port}/kamailio?sslmode=disable",
    }, (("Kamailio's database", *devices),)


def measure(deployment, key, name, state, method, path, body, message):
    before = others(deployment, key, until=time.monotonic() + 1)
    with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
        callers = [pool.submit(ask, deployment, key, method, path, body(number)) for number in range(CALLERS)]
        meanwhile = others(deployment, key, until=time.monotonic() + 1, callers=callers)
        answers = [caller.result() for caller in callers]
    for status, text, seconds in answers:
        if status != 503 or json.loads(text) != {"message": message}:
            raise Failure(f"{name} {state}: {status} {text}")
        if seconds > TIMEOUT_SECONDS + MARGIN_SECONDS:
            raise Failure(f"{name} {state}: a request took {seconds:.1f} s")
    if meanwhile[len(meanwhile) // 2] > TIMEOUT_SECONDS:
        raise Failure(f"{name} {state}: other requests took {percentiles(meanwhile)} meanwhile")
    slowest = max(seconds for _, _, seconds in answers)
    return (
        f"{name} {state}: {CALLERS} callers got 503 within {slowest:.2f} s; other requests took {percentiles(meanwhile)}"
        f" meanwhile, {percentiles(before)} before")


def others(deployment, key, until, callers=()):
    """The times, in order, of requests that need no neighbour, one after the other while a caller waits or time is left."""
    times = []
    while time.monotonic() < until or any(not caller.done() for caller in callers):
        status, text, seconds = ask(deployment, key, "GET", "/api/accounts/me")
        if status != 200:
            raise Failure(f"GET /api/accounts/me: {status} {text}")
        times.append(seconds)
    return sorted(times)


def percentiles(times):
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    return f"{p50 * 1_000:.1f} ms (p50), {p99 * 1_000:.1f} ms (p99, of {len(times)})"


def ask(deployment, key, method, path, body=None):
    begun = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", deployment.port, timeout=60)
    try:
        connection.request(
            method, path, body=None if body is None else json.dumps(body),
            headers={"x-api-key": key, "Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), time.monotonic() - begun
    finally:
        connection.close()
