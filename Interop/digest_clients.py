"""curl and Python requests read their own account by Digest."""

import json
import secrets
import subprocess

import requests
from requests.auth import HTTPDigestAuth

from deployment import DOMAIN, Failure

ALGORITHMS = ("MD5", "SHA-256")


def check(deployment):
    key = deployment.api_key()
    for algorithm in ALGORITHMS:
        username = f"digest_{algorithm.lower()}"
        # Characters that have to survive a command line, UTF-8 and the hash.
        password = f'"{secrets.token_hex(8)}": \\ é'
        deployment.create_account(key, username, password, algorithm, activated=True)
        for name, client in (("curl", curl), ("requests", python_requests)):
            status, account = client(deployment, username, password)
            if status != 200 or account.get("username") != username:
                raise Failure(f"{name} with {algorithm}: {status} {account}")
            if account.get("passwords") != [{"algorithm": algorithm}]:
                raise Failure(f"{name}: the account has {account.get('passwords')}, not {algorithm} alone")
            status, answer = client(deployment, username, password + "x")
            if status != 401:
                raise Failure(f"{name} with a wrong password: {status} {answer}")
            yield f"{name} read {username}@{DOMAIN} by Digest {algorithm}, and was refused with a wrong password"


def curl(deployment, username, password):
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--digest", "--user", f"{username}:{password}",
         "--header", f"From: sip:{username}@{DOMAIN}", "--write-out", "\n%{http_code}",
         f"{deployment.url}/api/accounts/me"],
        stdout=subprocess.PIPE, text=True, check=True)
    body, status = done.stdout.rsplit("\n", 1)
    return int(status), json.loads(body)


def python_requests(deployment, username, password):
    answer = requests.get(
        f"{deployment.url}/api/accounts/me", auth=HTTPDigestAuth(username, password),
        headers={"From": f"sip:{username}@{DOMAIN}"}, timeout=10)
    return answer.status_code, answer.json()
