"""Two parsers that others wrote read the vCards of contacts with nasty names."""

import base64
import pathlib
import random
import re
import secrets
import subprocess
import tempfile

from deployment import DOMAIN, Failure

HERE = pathlib.Path(__file__).resolve().parent
SEED = 6350
NAMES = 200
OWNER = "vcards_owner"
# What parsers stumble over; the first of each line stands in names of its own, too.
PIECES = [
    '"', "'", ";", ",", ":", "\\", "\\\\", "\\n", "\\,", "\\;", "\n", "\r\n", "\r", "\t", " ", "=", "^n", "^'", "%0A", "&amp;", "<b>",
    "END:VCARD", "\r\nEND:VCARD\r\nBEGIN:VCARD\r\n", "\nTEL:+33600000000", "FN:", "a", "Bob", "漢字", "ñ", "ß", "é", "e\u0301", "\u200d",
    "\u202e", "\u00a0", "\u2028", "😀", "👨\u200d👩\u200d👧", "🇫🇷", "𝔘",
]


def check(deployment):
    names = nasty_names()
    text = cards(deployment, names)
    expected = {f"sip:{username(index)}@{DOMAIN}": as_read(name) for index, name in enumerate(names)}
    if (longest := max(len(line) for line in text.split(b"\r\n"))) > 75:
        raise Failure(f"a line of a vCard has {longest} octets")
    # Debian's version of sabre/vobject undoes every escape of a name but that of commas.
    parsers = (("libbelcard", belcard, str), ("sabre/vobject", vobject, lambda name: name.replace(",", "\\,")))
    for parser, read, left in parsers:
        found = read(text)
        if len(found) != len(names):
            raise Failure(f"{parser} found {len(found)} cards in {len(names)}")
        for address, name in found.items():
            if left(expected[address]) != name:
                raise Failure(f"{parser} read {name!r} for {address}, not {left(expected[address])!r}")
        yield f"{parser} read {len(found)} vCards with nasty names as they are"


def nasty_names():
    """Each piece alone, an emoji at each place around the fold, and pieces in any order."""
    chance = random.Random(SEED)
    names = [f"x{piece}y" for piece in PIECES]
    names += ["n" * length + "😀" + "漢" * 30 for length in range(66, 76)]
    while len(names) < NAMES:
        # No name is stored with white space around it.
        if name := "".join(chance.choices(PIECES, k=chance.randint(2, 30)))[:255].strip():
            names.append(name)
    return names


def as_read(name):
    """What a vCard can hold of it: one kind of line break."""
    return re.sub("\r\n|\r", "\n", name)


def username(index):
    return f"vcards_{index:03}"


def cards(deployment, names):
    """Stores the contacts as an import does, which takes names that the API refuses, and gets them as their owner."""
    password = secrets.token_hex(8)
    owner = deployment.create_account(deployment.api_key(), OWNER, password, "SHA-256", activated=True)["id"]
    domain = f"(SELECT id FROM flexi.domains WHERE name = '{DOMAIN}')"
    rows = ",\n".join(
        f"('{username(index)}', '{base64.b64encode(name.encode()).decode()}')" for index, name in enumerate(names))
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(f"""
            \\connect "{deployment.database}"
            WITH contact AS (
                INSERT INTO flexi.accounts (domain_id, username, activated, display_name)
                SELECT {domain}, username, true, convert_from(decode(name, 'base64'), 'UTF8') FROM (VALUES {rows}) AS new (username, name)
                RETURNING id
            )
            INSERT INTO flexi.contacts (domain_id, account_id, contact_id) SELECT {domain}, {owner}, id FROM contact;
        """)
        script.flush()
        deployment.psql("--file", script.name)
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", "--digest", "--user", f"{OWNER}:{password}",
         "--header", f"From: sip:{OWNER}@{DOMAIN}", f"{deployment.url}/contacts/vcard"],
        stdout=subprocess.PIPE, check=True)
    return done.stdout


def belcard(text):
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "belcard"
        subprocess.run(
            ["g++", "-std=c++17", "-o", program, HERE / "vcards/belcard.cpp", "-lbelcard", "-lbelr", "-lbctoolbox"], check=True)
        return {address: unescaped(name) for address, name in parsed([program], text)}


def vobject(text):
    return dict(parsed(["php", HERE / "vcards/vobject.php"], text))


def parsed(command, text):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0 or done.stderr:
        raise Failure(f"{command[-1]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    for line in done.stdout.decode().splitlines():
        address, name = line.split(" ")
        yield bytes.fromhex(address).decode(), bytes.fromhex(name).decode()


def unescaped(text):
    """RFC 6350, 3.4."""
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], text, flags=re.DOTALL)
