"""A mail server (aiosmtpd) that keeps what it is given and refuses what it is told to.

Prints a line of JSON once it listens, {"port": 2525}, and one for every mail it has taken: {"time", "from", "to", "content" in base64,
"user", "encrypted"}. Ends with its standard input.
"""

import argparse
import asyncio
import base64
import json
import os
import ssl
import sys
import time

from aiosmtpd.smtp import SMTP, AuthResult

import pipes_of_others


def say(value):
    print(json.dumps(value), flush=True)


class Handler:
    def __init__(self, options):
        self.options = options
        self.refusals = options.refusals

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if self.options.refuse_recipient:
            return self.options.refuse_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.options.refuse_mail and self.refusals != 0:
            self.refusals -= 1
            return self.options.refuse_mail
        say({
            "time": time.time(), "from": envelope.mail_from, "to": envelope.rcpt_tos,
            "content": base64.b64encode(envelope.original_content).decode(),
            "user": session.auth_data.decode() if session.auth_data else None, "encrypted": session.ssl is not None,
        })
        return "250 taken"


class Authenticator:
    def __init__(self, user, password):
        self.expected = (user.encode(), password.encode())

    def __call__(self, server, session, envelope, mechanism, data):
        right = (data.login, data.password) == self.expected
        return AuthResult(success=right, auth_data=data.login if right else None, handled=right)


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--encryption", choices=("none", "tls", "ssl"), default="none")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--user", help="who must log in; the password is in MAIL_SERVER_PASSWORD")
    parser.add_argument("--refuse-recipient", metavar="REPLY")
    parser.add_argument("--refuse-mail", metavar="REPLY")
    parser.add_argument("--refusals", type=int, default=-1, help="how many mails are refused before they are taken")
    options = parser.parse_args()

    context = None
    if options.encryption != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate, options.key)
    handler = Handler(options)

    def session():
        arguments = {"hostname": "mail.example.org", "enable_SMTPUTF8": False}
        if options.encryption == "tls":
            arguments |= {"tls_context": context, "require_starttls": True}
        if options.user:
            arguments |= {
                "authenticator": Authenticator(options.user, os.environ["MAIL_SERVER_PASSWORD"]), "auth_required": True,
                "auth_require_tls": options.encryption == "tls",
            }
        return SMTP(handler, **arguments)

    server = await asyncio.get_running_loop().create_server(
        session, "127.0.0.1", options.port, ssl=context if options.encryption == "ssl" else None)
    say({"port": server.sockets[0].getsockname()[1]})
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    pipes_of_others.close()
    asyncio.run(main())
