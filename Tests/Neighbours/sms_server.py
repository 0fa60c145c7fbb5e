"""OVH's interface for short messages, as much of it as is used, and a webhook at /webhook.

Prints a line of JSON once it listens, {"port": 8080}, and one for every message it has taken. A request to OVH must be signed by the
secret and the consumer key given, at a time that OVH's clock shows, which is half an hour ahead. Numbers that end in 99 are invalid. With
--misbehave every answer comes after 30 seconds (slow), is rubbish, or an error. Ends with its standard input.
"""

import argparse
import hashlib
import http.server
import json
import sys
import threading
import time

import pipes_of_others

KEY, SECRET, CONSUMER_KEY = "application", "application secret", "consumer key"
TOKEN = "webhook token"
AHEAD_SECONDS = 1_800
SERVICES = ["sms-ab12345-1", "sms-ab12345-2"]


def say(value):
    print(json.dumps(value), flush=True)


class Handler(http.server.BaseHTTPRequestHandler):
    misbehaviour = None

    def answer(self, status, value):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def misbehaves(self):
        if self.misbehaviour == "slow":
            time.sleep(30)
        elif self.misbehaviour == "rubbish":
            self.answer(200, b"<html>\xff\xfe\x00 not json")
            return True
        elif self.misbehaviour == "error":
            self.answer(500, {"message": "Internal error"})
            return True
        return False

    def is_signed(self, body):
        url = f"http://{self.headers['Host']}{self.path}"
        stamp = self.headers["X-Ovh-Timestamp"] or "0"
        text = "+".join((SECRET, CONSUMER_KEY, self.command, url, body, stamp))
        right = (
            self.headers["X-Ovh-Application"] == KEY and self.headers["X-Ovh-Consumer"] == CONSUMER_KEY
            and self.headers["X-Ovh-Signature"] == "$1$" + hashlib.sha1(text.encode()).hexdigest()
            and abs(int(stamp) - self.clock()) <= 30)
        if not right:
            self.answer(403, {"errorCode": "INVALID_SIGNATURE", "message": "Invalid signature"})
        return right

    def clock(self):
        return int(time.time()) + AHEAD_SECONDS

    def do_GET(self):
        if self.misbehaves():
            return
        if self.path == "/1.0/auth/time":
            self.answer(200, str(self.clock()).encode())
        elif self.path == "/1.0/sms" and self.is_signed(""):
            say({"asked": "services"})
            self.answer(200, SERVICES)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        if self.misbehaves():
            return
        if self.path == "/webhook":
            self.take_from_webhook(json.loads(body))
        elif self.path == f"/1.0/sms/{SERVICES[0]}/jobs" and self.is_signed(body):
            self.take_job(json.loads(body))

    def take_job(self, job):
        receivers = job["receivers"]
        invalid = [receiver for receiver in receivers if receiver.endswith("99")]
        valid = [receiver for receiver in receivers if receiver not in invalid]
        for receiver in valid:
            say({"to": receiver, "message": job["message"], "coding": job["coding"], "sender": job.get("sender")})
        self.answer(200, {
            "totalCreditsRemoved": len(valid), "invalidReceivers": invalid, "validReceivers": valid, "ids": [1] * len(valid)})

    def take_from_webhook(self, message):
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.answer(401, {"message": "who are you?"})
        elif message["to"].endswith("99"):
            self.answer(422, {"message": "invalid receiver"})
        else:
            say({**message, "key": self.headers["Idempotency-Key"]})
            self.answer(200, {})

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--misbehave", choices=("slow", "rubbish", "error"))
    options = parser.parse_args()
    Handler.misbehaviour = options.misbehave
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say({"port": server.server_address[1]})
    sys.stdin.read()


if __name__ == "__main__":
    pipes_of_others.close()
    main()
