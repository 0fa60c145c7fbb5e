"""The mail server of Tests/Neighbours, started and stopped, and what it has taken."""

import base64
import email
import email.policy
import json
import pathlib
import re
import subprocess
import threading

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "Tests/Neighbours/mail_server.py"


class MailServer:
    def __init__(self):
        self.port = 0
        self.taken = []
        self.process = None
        self.reader = None

    def start(self, *arguments):
        """Listens where it listened before."""
        self.process = subprocess.Popen(
            ["/usr/bin/python3", PROGRAM, "--port", str(self.port), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.process.stdout.readline())["port"]
        self.reader = threading.Thread(target=self.read, args=(self.process.stdout,), daemon=True)
        self.reader.start()

    def read(self, output):
        for line in output:
            self.taken.append(json.loads(line))

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.reader.join()
            self.process = None

    def arrivals(self):
        """The times at which mail for each address was taken."""
        arrivals = {}
        for mail in list(self.taken):
            arrivals.setdefault(mail["to"][0], []).append(mail["time"])
        return arrivals


def code_of(mail):
    """The code in the link of a mail that was taken; both of its parts have the same."""
    parsed = email.message_from_bytes(base64.b64decode(mail["content"]), policy=email.policy.default)
    texts = [parsed.get_body((kind,)).get_content() for kind in ("plain", "html")]
    codes = {code for text in texts for code in re.findall(r"/email/([0-9A-Za-z]+)", text)}
    assert len(codes) == 1, f"the parts of a mail have the codes {codes}"
    return codes.pop()
