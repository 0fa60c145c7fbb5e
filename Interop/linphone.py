"""The Linphone console client takes its account from the server."""

import configparser
import hashlib
import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile
import time
import urllib.request

from deployment import DOMAIN, Failure

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
LIMIT_SECONDS = 30


def check(deployment):
    key = deployment.api_key()
    for algorithm, function in HASHES.items():
        username = f"linphone_{algorithm.lower()}"
        password = secrets.token_hex(8)
        account = deployment.create_account(key, username, password, algorithm)
        token = account.get("provisioning_token")
        if not token:
            raise Failure("the account was created without a provisioning token")
        home = pathlib.Path(tempfile.mkdtemp(prefix="linphone-"))
        try:
            yield from provisioned(deployment, home, username, token, algorithm, {
                "username": username,
                "domain": DOMAIN,
                "realm": DOMAIN,
                "ha1": function(f"{username}:{DOMAIN}:{password}".encode()).hexdigest(),
                "algorithm": algorithm,
            })
        finally:
            shutil.rmtree(home)


def provisioned(deployment, home, username, token, algorithm, expected):
    rc = home / "linphonerc"
    rc.write_text(f"[misc]\nconfig-uri={deployment.url}/provisioning/{token}\n")
    output = run_client(home, rc, until=("auth_info_0", "ha1"))
    sections = read(rc)
    given = {name: sections["auth_info_0"].get(name) for name in expected}
    if given != expected:
        raise Failure(f"the client was given {given}, not {expected}")
    identity = sections["proxy_0"].get("reg_identity")
    if identity != f"<sip:{username}@{DOMAIN}>":
        raise Failure(f"the client registers as {identity}")
    # Entries alone are not enough: without reg_proxy this version ignores the account.
    if f"identity: sip:{username}@{DOMAIN}" not in output:
        raise Failure(f"the client has entries, but no account: {output}")
    yield f"linphonec was given, from /provisioning/{token}:"
    for section in ("proxy_0", "auth_info_0"):
        yield f"    [{section}]"
        yield from (f"    {name}={value}" for name, value in sections[section].items())

    with urllib.request.urlopen(f"{deployment.url}/provisioning/{token}", timeout=10) as answer:
        if expected["ha1"].encode() in answer.read():
            raise Failure("the token gave its secret twice")
    yield "the token gave its secret once"

    # What the client takes from /provisioning/me is an entry that it does not have any more.
    del sections["misc"]["contacts-vcard-list"]
    sections["misc"]["config-uri"] = f"{deployment.url}/provisioning/me"
    with rc.open("w") as file:
        sections.write(file, space_around_delimiters=False)
    run_client(home, rc, until=("misc", "contacts-vcard-list"))
    yield f"linphonec read /provisioning/me by Digest {algorithm} with the hash it was given"


def run_client(home, rc, until):
    """Runs linphonec until its configuration has the entry, then lets it list its accounts and quit."""
    # Without this folder the library does not start.
    (home / ".local/share/linphone").mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(
        ["linphonec", "-c", rc], env={**os.environ, "HOME": str(home)}, cwd=home,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as client:
        section, name = until
        deadline = time.monotonic() + LIMIT_SECONDS
        try:
            while not read(rc).has_option(section, name):
                if client.poll() is not None or time.monotonic() > deadline:
                    raise Failure(f"linphonec did not get [{section}] {name}")
                time.sleep(0.1)
            output, _ = client.communicate("proxy list\nquit\n", timeout=LIMIT_SECONDS)
        except BaseException:
            client.kill()
            raise
        if client.returncode != 0:
            raise Failure(f"linphonec ended with {client.returncode}")
        return output


def read(rc):
    sections = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    sections.optionxform = str
    try:
        sections.read(rc)
    except configparser.Error:
        # The client was writing just now; there is a next time.
        return configparser.ConfigParser()
    return sections
