"""schemathesis asks for what the served document describes, as a stranger, a user and an administrator."""

import json
import os
import pathlib
import re
import secrets
import subprocess
import tempfile
import urllib.request

import yaml

from deployment import ADMIN, DOMAIN, Failure

SEED = 2022
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "15"))
# No operation has a 500, and 503 only where something outside of the server is missing, which is so here.
CHECKS = ("status_code_conformance", "content_type_conformance", "response_headers_conformance", "response_schema_conformance")
# The document's `default` is for these, which any operation may answer, and no other.
ANYWHERE = ("405", "413", "415", "429")


def check(deployment):
    user = f"pauline@{DOMAIN}"
    deployment.create_account(
        deployment.api_key(), "pauline", secrets.token_hex(8), "SHA-256", activated=True, dtmf_protocol="sipinfo")
    with tempfile.TemporaryDirectory() as folder:
        document = pathlib.Path(folder) / "openapi.json"
        with urllib.request.urlopen(f"{deployment.url}/api/openapi.yaml", timeout=10) as answer:
            document.write_text(strict(answer.read().decode()))
        for caller, address in (("a stranger", None), ("a user", user), ("an administrator", ADMIN)):
            headers = {}
            if address:
                # A key with a name outlives what the requests do to the account's own.
                key = deployment.run("FlexiServer", "create-key", address, "--name", "schemathesis").strip()
                headers = {"From": f"sip:{address}", "x-api-key": key}
            yield f"schemathesis as {caller}: {run(deployment, document, headers)}"


def strict(text):
    """The document with `default` written out, as JSON."""
    document = yaml.safe_load(text)
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict) and (other := operation["responses"].pop("default", None)):
                operation["responses"] = {**dict.fromkeys(ANYWHERE, other), **operation["responses"]}
    return json.dumps(document, default=str)


def run(deployment, document, headers):
    done = subprocess.run(
        [os.environ["SCHEMATHESIS"], "run", document, "--url", deployment.url, "--checks", ",".join(CHECKS),
         "--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES), "--seed", str(SEED), "--no-color",
         "--continue-on-failure", "--request-timeout", "30", "--warnings", "off",
         # Whoever deletes the own account is nobody from then on.
         *(("--exclude-operation-id", "deleteOwnAccount") if headers else ()),
         *(part for name, value in headers.items() for part in ("--header", f"{name}: {value}"))],
        cwd=document.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failure(done.stdout)
    return re.search(r"\d+ generated, \d+ passed", done.stdout)[0]
